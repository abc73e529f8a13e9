// Supabase Realtime, as far as postgres_changes go: Phoenix messages (version 1.0.0) over a WebSocket, changes out of
// wal2json, and for each subscriber the question whether its role and claims may see the row, as realtime.apply_rls asks.
'use strict';

const { Client } = require('pg');
const { WebSocketServer } = require('ws');

const SLOT = 'supabase_realtime_stand_in';
const POLL_MS = 50;

class Realtime {
  constructor(connection, claimsOf) {
    this.connection = connection;
    this.claimsOf = claimsOf;
    this.subscriptions = new Map();
    this.nextId = 1;
    this.sockets = new WebSocketServer({ noServer: true });
  }

  upgrade(request, socket, head) {
    const apikey = new URL(request.url, 'http://localhost').searchParams.get('apikey');
    this.sockets.handleUpgrade(request, socket, head, (client) => {
      client.apikey = apikey;
      client.on('message', (text) => this.receive(client, JSON.parse(text)));
      client.on('close', () => this.leave(client));
    });
  }

  async receive(client, message) {
    const reply = (status, response) =>
      client.send(JSON.stringify({ topic: message.topic, event: 'phx_reply', ref: message.ref, payload: { status, response } }));
    if (message.event === 'phx_join') return this.join(client, message, reply);
    if (message.event === 'access_token') this.renew(client, message);
    if (message.event === 'phx_leave') this.leave(client, message.topic);
    if (message.event === 'heartbeat' || message.event === 'phx_leave') reply('ok', {});
  }

  // Replies when changes are being followed: nothing that is committed from then on is missed.
  async join(client, { topic, payload }, reply) {
    const claims = this.claimsOf(payload.access_token ?? client.apikey);
    if (claims === null) return reply('error', { reason: 'Invalid token' });
    await this.follow();
    const wanted = payload.config.postgres_changes.map((change) => ({ id: this.nextId++, ...change }));
    for (const change of wanted) this.subscriptions.set(change.id, { client, topic, claims, ...change });
    reply('ok', { postgres_changes: wanted });
    client.send(JSON.stringify({
      topic, event: 'system', ref: null,
      payload: { status: 'ok', message: 'Subscribed to PostgreSQL', extension: 'postgres_changes', channel: topic },
    }));
  }

  // A token that comes later holds from then on.
  renew(client, { topic, payload }) {
    const claims = this.claimsOf(payload.access_token);
    for (const subscription of this.subscriptions.values())
      if (subscription.client === client && subscription.topic === topic && claims !== null) subscription.claims = claims;
  }

  leave(client, topic) {
    for (const [id, subscription] of this.subscriptions)
      if (subscription.client === client && (topic === undefined || subscription.topic === topic)) this.subscriptions.delete(id);
  }

  follow() {
    this.following ??= this.start();
    return this.following;
  }

  async start() {
    this.database = new Client(this.connection);
    await this.database.connect();
    await this.database.query(`SELECT pg_create_logical_replication_slot($1, 'wal2json', true)`, [SLOT]);
    setTimeout(() => this.poll(), POLL_MS);
  }

  async poll() {
    const { rows } = await this.database.query(
      `SELECT c.data::json AS change
       FROM pg_logical_slot_get_changes($1, NULL, NULL, 'format-version', '2', 'include-pk', 'true', 'include-transaction',
                                        'false', 'include-timestamp', 'true', 'actions', 'insert,update,delete',
                                        'add-tables', $2) AS c`, [SLOT, await this.tables()]);
    for (const { change } of rows) await this.publish(change);
    setTimeout(() => this.poll(), POLL_MS);
  }

  async tables() {
    const { rows } = await this.database.query(
      `SELECT coalesce(string_agg(schemaname || '.' || tablename, ','), 'none.none') AS list
       FROM pg_publication_tables WHERE pubname = 'supabase_realtime'`);
    return rows[0].list;
  }

  async publish(change) {
    const type = { I: 'INSERT', U: 'UPDATE', D: 'DELETE' }[change.action];
    const record = Object.fromEntries((change.columns ?? []).map((column) => [column.name, column.value]));
    for (const [id, subscription] of this.subscriptions) {
      if (!matches(subscription, change, type, record) || !(await this.mayBeSeen(subscription, change, record))) continue;
      const data = {
        schema: change.schema, table: change.table, commit_timestamp: change.timestamp, type, record, old_record: {},
        columns: change.columns.map(({ name, type: column }) => ({ name, type: column })), errors: null,
      };
      subscription.client.send(JSON.stringify(
        { topic: subscription.topic, event: 'postgres_changes', ref: null, payload: { ids: [id], data } }));
    }
  }

  async mayBeSeen({ claims }, change, record) {
    const key = change.pk.map(({ name }, at) => `${name} = $${at + 1}`).join(' AND ');
    await this.database.query('BEGIN');
    await this.database.query(`SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
      [claims.role, JSON.stringify(claims)]);
    const { rowCount } = await this.database.query(
      `SELECT 1 FROM "${change.schema}"."${change.table}" WHERE ${key}`, change.pk.map(({ name }) => record[name]));
    await this.database.query('COMMIT');
    return rowCount === 1;
  }
}

function matches({ event, schema, table, filter }, change, type, record) {
  if (event !== '*' && event !== type) return false;
  if (schema !== change.schema || (table !== undefined && table !== change.table)) return false;
  const [, column, value] = /^(\w+)=eq\.(.*)$/s.exec(filter ?? '') ?? [];
  return column === undefined || String(record[column]) === value;
}

module.exports = { Realtime };
