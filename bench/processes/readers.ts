/*
 * Fifty readers of one task in a process of their own, forked by variants/memory.ts: followers with a filter, followers that read
 * slowly, and some that page through the log from its start. Tells `ready`; ends when told so, and tells what they read.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Viewer } from '../support/frames.ts';

const FILTERED = 15;
const SLOW = 10;
const PAGING = 10;
/** A slow reader takes a part of this size, and rests. */
const REST_MS = 100;
const PAGE_LINES = 1_000;

const [base = ''] = process.argv.slice(2);
const read = { matching: 0, slow: 0, paged: 0 };
let ended = false;

const filtered = Array.from({ length: FILTERED }, (_, index) => [
  follow('ws', '/ws/logs/bench?level=ERROR'),
  follow('sse', `/api/tasks/bench/logs?follow=true&level=ERROR&tail=${index}`),
]).flat();
const slow = Array.from({ length: SLOW }, () => followSlowly());
await Promise.all([...filtered, ...slow].map(({ opened }) => opened));
const paging = Array.from({ length: PAGING }, page);
process.send?.('ready');
await once(process, 'message');
ended = true;
await Promise.all(filtered.map((viewer) => viewer.ended));
await Promise.all(paging);
for (const { socket } of slow) socket.destroy();
process.send?.(read);
process.disconnect();

function follow(way: 'ws' | 'sse', path: string): Viewer {
  let last = 0;
  const take = (frame: { first: number; last: number }): void => {
    if (frame.first <= last) throw new Error(`line ${frame.first} came again after ${last}`);
    last = frame.last;
    read.matching += 1;
  };
  return new Viewer({ url: new URL(path, base).href, way, take });
}

function followSlowly(): Viewer {
  let last = 0;
  const viewer: Viewer = new Viewer({
    url: new URL('/ws/logs/bench', base).href,
    way: 'ws',
    take: (frame) => {
      if (frame.first !== last + 1) throw new Error(`expected line ${last + 1}, got ${frame.first}`);
      read.slow += frame.last - last;
      last = frame.last;
      viewer.socket.pause();
      setTimeout(() => viewer.socket.resume(), REST_MS);
    },
  });
  return viewer;
}

async function page(): Promise<void> {
  for (let after = 0; !ended; ) {
    const response = await fetch(`${base}/api/tasks/bench/logs?after=${after}&limit=${PAGE_LINES}&count=none`);
    const { logs } = (await response.json()) as { logs: readonly { seq: number }[] };
    const wrong = logs.findIndex(({ seq }, index) => seq !== after + index + 1);
    if (wrong !== -1) throw new Error(`expected line ${after + wrong + 1}, got ${logs[wrong]?.seq}`);
    after += logs.length;
    read.paged += logs.length;
    await delay(REST_MS);
  }
}
