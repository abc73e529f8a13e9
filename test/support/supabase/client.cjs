// What an application does with Supabase's own clients, against SUPABASE_URL. Prints one JSON object: a member per
// request with what came of it. Run by test/tap/240_supabase.pl, which says what should have.
'use strict';

const crypto = require('node:crypto');
const { createClient } = require('@supabase/supabase-js');
const { PostgrestClient } = require('@supabase/postgrest-js');
const WebSocket = require('ws');

const url = process.env.SUPABASE_URL;
const A = '00000000-0000-0000-0000-00000000000a';
const B = '00000000-0000-0000-0000-00000000000b';

function token(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${crypto.createHmac('sha256', process.env.AQ_SUPABASE_SECRET).update(text).digest('base64url')}`;
}

const anonKey = token({ role: 'anon' });
const clientOf = (claims) =>
  createClient(url, anonKey, { accessToken: async () => token(claims), realtime: { transport: WebSocket } });

const anon = createClient(url, anonKey, { realtime: { transport: WebSocket } });
const a = clientOf({ sub: A, role: 'authenticated' });
const b = clientOf({ sub: B, role: 'authenticated' });
const service = clientOf({ role: 'service_role' });
const rest = new PostgrestClient(`${url}/rest/v1`,
  { headers: { Authorization: `Bearer ${token({ sub: A, role: 'authenticated' })}` } });

const echo = (text) => ({ agent_type: 'echo', request_data: { text } });

async function requests(results) {
  const inserted = results.insert = await a.from('agent_queue').insert(echo('inserted')).select().single();
  const { id } = inserted.data;
  results.wait = await a.rpc('wait_agent', { id });
  results.select = await a.from('agent_queue').select('status,result').eq('id', id).single();
  results.enqueue = await a.rpc('enqueue_agent', { agent_type: 'echo', request: { text: 'called' } });
  results.wait_called = await a.rpc('wait_agent', { id: results.enqueue.data, timeout: '20 s' });
  results.enqueue_many = await rest.rpc('enqueue_agents', { agent_type: 'echo', requests: [{ text: '1' }, { text: '2' }] });
  results.insert_many = await rest.from('agent_queue').insert([echo('3'), echo('4')]).select('id');
  results.insert_minimal = await rest.from('agent_queue').insert(echo('5'));

  results.others_row = await b.from('agent_queue').select().eq('id', id).maybeSingle();
  results.others_single = await b.from('agent_queue').select().eq('id', id).single();
  results.others_wait = await b.rpc('wait_agent', { id });
  results.for_another = await a.from('agent_queue').insert({ ...echo('stolen'), user_id: B });
  results.with_status = await a.from('agent_queue').insert({ ...echo('forged'), status: 'completed' });
  results.unknown_type = await a.rpc('enqueue_agent', { agent_type: 'ecko', request: { text: 'x' } });
  const failing = await a.rpc('enqueue_agent', { agent_type: 'without_route', request: { text: 'x' } });
  results.failed_job = await a.rpc('wait_agent', { id: failing.data });
  const delayed = await a.rpc('enqueue_agent', { agent_type: 'echo', request: { text: 'x' }, delay: '1 hour' });
  results.late_job = await a.rpc('wait_agent', { id: delayed.data, timeout: '0' });
  results.key = await a.from('agent_queue').insert({ ...echo('once'), idempotency_key: 'once' });
  results.key_again = await a.from('agent_queue').insert({ ...echo('once'), idempotency_key: 'once' });
  results.providers = await a.from('agent_providers').select();
  results.too_many = await a.rpc('enqueue_agent', { agent_type: 'limited', request: { text: 'x' } });
  results.check_first = await a.rpc('check_rate_limit', { p_user_id: null, p_endpoint: 'search', p_max_requests: 1 });
  results.check_second = await a.rpc('check_rate_limit', { p_user_id: null, p_endpoint: 'search', p_max_requests: 1 });
  results.anon_select = await anon.from('agent_queue').select();
  results.anon_enqueue = await anon.rpc('enqueue_agent', { agent_type: 'echo', request: { text: 'x' } });
  results.service_insert = await service.from('agent_queue').insert({ ...echo('for B'), user_id: B }).select('user_id').single();
  results.service_select = await service.from('agent_queue').select('user_id').in('user_id', [A, B]).order('id').limit(100);
  results.costs = await a.from('user_costs').select('user_id');
}

// Follows the UPDATEs that a filter lets through; resolves when changes are being followed.
async function follow(client, name, filter, events) {
  await client.realtime.setAuth(); // else the channel is joined with the key of anon
  return new Promise((resolve, reject) => {
    client.channel(name)
      .on('postgres_changes', { event: 'UPDATE', schema: 'public', table: 'agent_queue', ...filter },
        ({ new: row }) => events.push(row))
      .subscribe((status, error) => {
        if (status === 'SUBSCRIBED') resolve();
        if (status === 'CHANNEL_ERROR' || status === 'TIMED_OUT') reject(error ?? new Error(status));
      });
  });
}

async function ended(events, id) {
  for (let tries = 0; tries < 400; ++tries) {
    const row = events.find((event) => event.id === id && event.status === 'completed');
    if (row !== undefined) return row;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(`no UPDATE of job ${id} came`);
}

async function realtime(results) {
  const seen = { a: [], b: [], one: [] };
  await follow(a, 'mine', { filter: `user_id=eq.${A}` }, seen.a);
  await follow(b, 'all', {}, seen.b);
  const first = await a.from('agent_queue').insert(echo('followed')).select('id').single();
  results.followed = await ended(seen.a, first.data.id);
  // The job is known before it is followed: it runs in two seconds.
  const delayed = await a.rpc('enqueue_agent', { agent_type: 'echo', request: { text: 'by id' }, delay: '2 s' });
  await follow(a, 'one', { filter: `id=eq.${delayed.data}` }, seen.one);
  results.followed_by_id = await ended(seen.one, delayed.data);
  results.only_one = [...new Set(seen.one.map((row) => row.id))].length === 1;
  // Whatever B is told of A's jobs comes before this one's end.
  const own = await b.from('agent_queue').insert(echo('of B')).select('id').single();
  await ended(seen.b, own.data.id);
  results.b_saw = [...new Set(seen.b.map((row) => row.user_id))];
}

(async () => {
  const results = {};
  await requests(results);
  await realtime(results);
  console.log(JSON.stringify(results));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
