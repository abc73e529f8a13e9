// PostgREST, as far as the clients' requests for jobs go: the same statements in the same transaction, and the same
// answers to errors. Known: GET of a table (select, eq, in, lt, gt, is, order, limit), POST to a table, POST to rpc/.
'use strict';

const { Pool } = require('pg');

const SINGULAR = 'application/vnd.pgrst.object+json';

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
const inPublic = (name) => `"public".${quoted(name)}`;

// An answer that is no error of the database.
class Refusal extends Error {
  constructor(status, code, message, details = null, hint = null) {
    super(message);
    Object.assign(this, { status, body: { code, details, hint, message } });
  }
}

// The status for a SQLSTATE, from PostgREST's Error.hs.
function statusOf(code, message, role) {
  const exact = {
    '21000': message.endsWith('requires a WHERE clause') ? 400 : 500,
    '22023': /^role .* does not exist$/.test(message) ? 401 : 400,
    '23503': 409, '23505': 409, '25006': 405, '42501': role === 'anon' ? 401 : 403, '42883': 404, '42P01': 404,
    '42P17': 500, '53400': 500, '57P01': 503, P0001: 400,
  };
  if (code in exact) return exact[code];
  if (code.startsWith('PT')) return Number(code.slice(2)) || 500;
  const byClass = {
    '08': 503, '09': 500, '0L': 403, '0P': 403, '25': 500, '28': 403, '2D': 500, '38': 500, '39': 500, '3B': 500,
    '40': 500, '53': 503, '54': 500, '55': 500, '57': 500, '58': 500, F0: 500, HV: 500, P0: 500, XX: 500,
  };
  return byClass[code.slice(0, 2)] ?? 400;
}

// One request's statement: text with parameters.
class Statement {
  text = '';
  values = [];

  parameter(value) {
    return `$${this.values.push(value)}`;
  }
}

const OPERATORS = { eq: '=', neq: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' };

function condition(statement, table, column, filter) {
  const [, operator, value] = filter.match(/^(\w+)\.(.*)$/s) ?? [];
  const left = `${inPublic(table)}.${quoted(column)}`;
  if (operator in OPERATORS) return `${left} ${OPERATORS[operator]} ${statement.parameter(value)}`;
  if (operator === 'is' && /^(null|true|false)$/.test(value)) return `${left} IS ${value}`;
  if (operator === 'in') {
    const list = value.replace(/^\(|\)$/g, '').split(',').map((item) => item.replace(/^"|"$/g, ''));
    return `${left} = ANY (${statement.parameter(list)})`;
  }
  throw new Refusal(400, 'PGRST100', `failed to parse filter (${filter})`);
}

// RETURNING or SELECT of what ?select= asks for.
function columns(table, select) {
  const names = (select ?? '*').split(',');
  return names.map((name) => (name === '*' ? `${inPublic(table)}.*` : `${inPublic(table)}.${quoted(name)}`)).join(', ');
}

function order(table, text) {
  return text.split(',').map((term) => {
    const [name, direction] = term.split('.');
    return `${inPublic(table)}.${quoted(name)} ${direction === 'desc' ? 'DESC' : 'ASC'}`;
  }).join(', ');
}

// The frame around every statement. body: the aggregate that makes the answer.
function framed(source, from, body) {
  return `WITH pgrst_source AS (${source})
    SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, ${body} AS body,
           nullif(current_setting('response.headers', true), '') AS response_headers,
           nullif(current_setting('response.status', true), '') AS response_status
    FROM (${from}) _postgrest_t`;
}

const ROWS = `coalesce(json_agg(_postgrest_t), '[]')`;
const ROW = `coalesce(json_agg(_postgrest_t)->0, 'null')`;
const SCALAR = `coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null')`;
const SCALARS = `coalesce(json_agg(_postgrest_t.pgrst_scalar), '[]')`;

// The payload as rows with the types of the columns or arguments.
function fromJson(statement, body, fields, types, limit) {
  const list = fields.map(quoted).join(', ');
  const typed = fields.map((name) => `${quoted(name)} ${types[name]}`).join(', ');
  const reader = Array.isArray(body) ? 'json_to_recordset' : 'json_to_record';
  return `FROM (SELECT ${statement.parameter(JSON.stringify(body))}::json AS json_data) pgrst_payload,
    LATERAL (SELECT ${list} FROM ${reader}(pgrst_payload.json_data) AS _(${typed}) ${limit}) pgrst_body`;
}

class Rest {
  constructor(connection, claimsOf) {
    this.pool = new Pool({ ...connection, max: 5 });
    this.claimsOf = claimsOf;
  }

  async serve(request, response) {
    let role = 'anon';
    try {
      const claims = this.authenticate(request);
      role = claims.role;
      const { status, body } = await this.answer(request, claims, await readBody(request));
      send(response, status, body);
    } catch (error) {
      if (error instanceof Refusal) return send(response, error.status, error.body);
      const { code, message } = error;
      if (code === undefined) return send(response, 500, { code: 'PGRSTX00', details: error.stack, hint: null, message });
      send(response, statusOf(code, message, role),
        { code, details: error.detail ?? null, hint: error.hint ?? null, message });
    }
  }

  authenticate(request) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return { role: 'anon' };
    const claims = this.claimsOf(token);
    if (claims === null) throw new Refusal(401, 'PGRST301', 'JWT cryptographic operation failed');
    return { role: 'anon', ...claims };
  }

  async answer(request, claims, body) {
    const url = new URL(request.url, 'http://localhost');
    const [, name] = /^\/rest\/v1\/((?:rpc\/)?\w+)$/.exec(url.pathname) ?? [];
    if (name === undefined) throw new Refusal(404, 'PGRST125', 'Invalid path specified in request URL');
    const isSingular = (request.headers.accept ?? '').startsWith(SINGULAR);
    const plan = name.startsWith('rpc/') ? await this.call(name.slice(4), body, isSingular)
      : request.method === 'POST' ? await this.insert(name, url.searchParams, body, request.headers.prefer ?? '', isSingular)
        : this.read(name, url.searchParams, isSingular);
    const row = await this.run(plan, claims, request, url);
    return { status: plan.status, body: row.body };
  }

  // One transaction with the caller's role and claims in it, as txVarQuery sets them.
  async run({ statement, isRead, isOne, hasBody }, claims, request, url) {
    const client = await this.pool.connect();
    try {
      await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED ${isRead ? 'READ ONLY' : 'READ WRITE'}`);
      await client.query(
        `select set_config('search_path', $1, true), set_config('role', $2, true),
                set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true),
                set_config('request.path', $5, true)`,
        ['"public"', claims.role, JSON.stringify(claims), request.method, url.pathname]);
      const { rows: [row] } = await client.query(statement);
      const found = Number(row.page_total);
      if (isOne && found !== 1) {
        throw new Refusal(406, 'PGRST116', 'Cannot coerce the result to a single JSON object',
          `The result contains ${found} rows`);
      }
      await client.query('COMMIT');
      return { body: hasBody ? row.body : undefined };
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  read(table, query, isSingular) {
    const statement = new Statement();
    const filters = [...query].filter(([key]) => !['select', 'order', 'limit', 'offset', 'columns'].includes(key))
      .map(([column, filter]) => condition(statement, table, column, filter));
    let text = `SELECT ${columns(table, query.get('select'))} FROM ${inPublic(table)}`;
    if (filters.length > 0) text += ` WHERE ${filters.join(' AND ')}`;
    if (query.has('order')) text += ` ORDER BY ${order(table, query.get('order'))}`;
    if (query.has('limit')) text += ` LIMIT ${statement.parameter(query.get('limit'))} OFFSET 0`;
    statement.text = framed(text, 'SELECT * FROM pgrst_source', isSingular ? ROW : ROWS);
    return { statement, isRead: true, isOne: isSingular, hasBody: true, status: 200 };
  }

  async insert(table, query, body, prefer, isSingular) {
    const types = await this.columnTypes(table);
    const fields = query.has('columns') ? query.get('columns').split(',').map((name) => name.replaceAll('"', ''))
      : Object.keys(Array.isArray(body) ? body[0] : body);
    const unknown = fields.find((name) => !(name in types));
    if (unknown !== undefined)
      throw new Refusal(400, 'PGRST204', `Could not find the '${unknown}' column of '${table}' in the schema cache`);
    const isFull = prefer.includes('return=representation');
    const statement = new Statement();
    const list = fields.map(quoted).join(', ');
    const source = `INSERT INTO ${inPublic(table)}(${list})
      SELECT ${fields.map((name) => `"pgrst_body".${quoted(name)}`).join(', ')} ${fromJson(statement, body, fields, types, '')}
      RETURNING ${isFull ? columns(table, query.get('select')) : '1'}`;
    statement.text = framed(source, 'SELECT * FROM pgrst_source', !isFull ? `''` : isSingular ? ROW : ROWS);
    return { statement, isRead: false, isOne: isSingular, hasBody: isFull, status: 201 };
  }

  async call(name, body, isSingular) {
    const routine = await this.routine(name, Object.keys(body ?? {}));
    const statement = new Statement();
    const given = Object.keys(body ?? {});
    const named = given.map((argument) => `${quoted(argument)} := pgrst_body.${quoted(argument)}`).join(', ');
    const from = given.length > 0 ? `${fromJson(statement, body, given, routine.types, 'LIMIT 1')}, LATERAL ` : 'FROM ';
    const source = `SELECT pgrst_call.pgrst_scalar ${from} (SELECT ${inPublic(name)}(${named}) pgrst_scalar) pgrst_call`;
    statement.text = framed(source, 'SELECT * FROM pgrst_source', routine.is_set && !isSingular ? SCALARS : SCALAR);
    return { statement, isRead: false, isOne: isSingular, hasBody: true, status: 200 };
  }

  // The schema cache: read with the rights of the authenticator.
  async columnTypes(table) {
    const { rows } = await this.pool.query(
      `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, [inPublic(table)]);
    if (rows.length === 0) throw new Refusal(404, 'PGRST205', `Could not find the table 'public.${table}' in the schema cache`);
    return Object.fromEntries(rows.map((row) => [row.attname, row.type]));
  }

  async routine(name, given) {
    const { rows } = await this.pool.query(
      `SELECT p.proretset AS is_set,
              (SELECT coalesce(json_object_agg(a.name, format_type(a.type, NULL)), '{}')
               FROM unnest(p.proargnames, p.proargtypes::oid[]) AS a (name, type)
               WHERE a.name IS NOT NULL AND a.type IS NOT NULL) AS types
       FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = $1`, [name]);
    const found = rows.find((row) => given.every((argument) => argument in row.types));
    if (found === undefined)
      throw new Refusal(404, 'PGRST202', `Could not find the function public.${name} in the schema cache`);
    return found;
  }
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

module.exports = { Rest };
