/*
 * What the sockets alone cost: a server that sends each body of lines to all its viewers and keeps nothing. Speaks as much of our
 * API as variants/live.ts asks for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

const server = createServer((request, response) => void answer(request, response));
const sockets = new WebSocketServer({ server });
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit());
/** Requests overtake each other: those that came before their turn, by their first line. */
const early = new Map<number, Buffer>();
let next = 1;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (request.url?.endsWith('/logs')) {
    const seqs = [...body.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq));
    early.set(seqs[0] ?? 0, Buffer.from(`{"type":"entries","entries":[${body.replaceAll('\n', ',')}]}`));
    for (let frame = early.get(next); frame; frame = early.get(next)) {
      for (const client of sockets.clients) client.send(frame, { binary: false });
      early.delete(next);
      next += seqs.length;
    }
    response.end(JSON.stringify({ accepted: seqs.length, last_seq: seqs.at(-1) }));
  } else {
    if (request.url?.endsWith('/complete')) for (const client of sockets.clients) client.close(1000);
    response.end('{}');
  }
}
