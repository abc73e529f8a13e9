// A stand-in for the two parts of a Supabase that an application talks to: PostgREST (rest.cjs) and Realtime
// (realtime.cjs), on one port. node server.cjs --socket DIR --port N --database NAME --user SUPERUSER
// --secret JWT-SECRET [--no-realtime]
//
// It prints "PORT n" and ends when its standard input closes.
'use strict';

const crypto = require('node:crypto');
const http = require('node:http');
const { parseArgs } = require('node:util');
const { Rest } = require('./rest.cjs');
const { Realtime } = require('./realtime.cjs');

const { values: options } = parseArgs({
  options: {
    socket: { type: 'string' },
    port: { type: 'string' },
    database: { type: 'string' },
    user: { type: 'string' },
    secret: { type: 'string' },
    'no-realtime': { type: 'boolean' },
  },
});

// The claims of a token that we have signed; null: it is not ours.
function claimsOf(token) {
  const [head, body, signature] = String(token).split('.');
  const expected = crypto.createHmac('sha256', options.secret).update(`${head}.${body}`).digest('base64url');
  if (signature !== expected) return null;
  return JSON.parse(Buffer.from(body, 'base64url').toString());
}

const connection = (user) => ({
  host: options.socket,
  port: Number(options.port),
  database: options.database,
  user,
});

const rest = new Rest(connection('authenticator'), claimsOf);
const realtime = new Realtime(connection(options.user), claimsOf);
const server = http.createServer((request, response) => rest.serve(request, response));
server.on('upgrade', (request, socket, head) => {
  if (options['no-realtime']) return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  return realtime.upgrade(request, socket, head);
});
server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
