// Enqueues a job as a signed-in user and prints the answer: node summarise.mjs "a long text"
//
// SUPABASE_URL, SUPABASE_ANON_KEY and the user's access token in SUPABASE_ACCESS_TOKEN. In a browser supabase.auth knows
// the token, and `accessToken` and `transport` go.
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';

const { SUPABASE_URL, SUPABASE_ANON_KEY, SUPABASE_ACCESS_TOKEN } = process.env;
const supabase = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, {
  accessToken: async () => SUPABASE_ACCESS_TOKEN,
  realtime: { transport: WebSocket },
});

const LOOK_EVERY_MS = 1000;

async function enqueue(text) {
  const { data, error } = await supabase
    .from('agent_queue')
    .insert({ agent_type: 'summarise', request_data: { text } })
    .select('id')
    .single();
  if (error) throw error;
  return data.id;
}

// Calls back with the job's row when it has ended. Realtime tells at once; looking finds what ended before Realtime was
// listening, and what it cannot tell because it is not there.
function whenEnded(id, callback) {
  let hasEnded = false;
  let timer = null;
  const finish = (row, how) => {
    if (hasEnded || (row.status !== 'completed' && row.status !== 'failed')) return;
    hasEnded = true;
    clearInterval(timer);
    supabase.removeAllChannels();
    callback(row, how);
  };
  const look = async () => {
    const { data, error } = await supabase
      .from('agent_queue')
      .select('status,result,error_code,error_message')
      .eq('id', id)
      .single();
    if (error) throw error;
    finish(data, 'found by looking');
  };
  const lookAgainAndAgain = () => {
    timer ??= setInterval(look, LOOK_EVERY_MS);
  };
  const lookOnce = () => {
    clearInterval(timer);
    timer = null;
    look();
  };
  lookAgainAndAgain();
  supabase
    .channel(`job ${id}`)
    .on('postgres_changes', { event: 'UPDATE', schema: 'public', table: 'agent_queue', filter: `id=eq.${id}` },
      ({ new: row }) => finish(row, 'told by Realtime'))
    .on('system', {}, ({ status }) => { // "ok": from now on changes are followed
      if (status === 'ok') lookOnce();
    })
    .subscribe((status) => {
      if (status !== 'SUBSCRIBED' && !hasEnded) lookAgainAndAgain();
    });
}

await supabase.realtime.setAuth(); // the channel is joined as the user, not as anon
const id = await enqueue(process.argv[2]);
whenEnded(id, (row, how) => {
  console.log(row.status === 'completed' ? row.result.summary : `${row.error_code}: ${row.error_message}`);
  console.error(`job ${id}, ${how}`);
});
