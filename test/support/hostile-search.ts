import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { numbered, stored, taskOf } from '../contract/store/support.ts';
import { scratch } from './scratch.ts';
import { type Server, startServer } from './server.ts';

/** Patterns that hang other engines, and such as are slow in any. */
export const EVIL: readonly string[] = [
  '(a+)+$',
  '(a|aa)+$',
  '(a|a)*b',
  '(.*a){20}',
  '(a*)*b',
  '([a-z]+)*[0-9]$',
  '(x+x+)+y',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '.{0,200}.{0,200}z$',
  '((a?){12}){4}b$',
  '[\\p{L}\\p{N}\\p{M}]{0,400}\\p{Lu}$',
  '(?i)(s|ſ|k|K)*ß$',
  '(\\w|\\W|\\s|\\S|.)*\\x{10FFFF}',
  `(${Array.from({ length: 80 }, (_, n) => `a${n}`).join('|')})$`,
];
/** Patterns that are too much for anyone: refused before they are compiled. */
export const REFUSED: readonly string[] = [
  '(((a?){9}){9}){5}b$',
  '(((a{0,99}){99}){99}){99}',
  'x{0,1000}{0,1000}',
  `(${'a?'.repeat(300)}){50}`,
  '(?=a)',
  '(a)\\1',
  '(',
  '[z-a]',
];

const LINE = `${'a'.repeat(60)} ${'the quick brown fox jumps over it '.repeat(2)}`;
const BATCH = 10_000;
const TASKS = 4;
const OWN_DELAY = new URL('../fixtures/programs/own-delay.js', import.meta.url);

export interface Searched extends Server {
  /** How long the thread that answers was held up by its own work since this was last asked, in ms. */
  ownDelay(): Promise<{ readonly ticks: number; readonly p99: number; readonly max: number }>;
}

/** A server as users run it, with so many lines in four tasks `t0` … `t3`. */
export async function searchedServer(t: TestContext, lines: number): Promise<Searched> {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  for (let task = 0; task < TASKS; task++) {
    await store.createTask(taskOf(`t${task}`));
    for (let done = 0; done < lines / TASKS; done += BATCH) {
      await stored(
        store,
        `t${task}`,
        numbered(Math.min(BATCH, lines / TASKS - done), (n) => ({ message: `${LINE}${n}!` })),
      );
    }
  }
  await store.close();
  const env = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${OWN_DELAY.href}` };
  const server = await startServer(t, { dataDir, env });
  let told = 0;
  return {
    ...server,
    ownDelay: async () => {
      server.process.kill('SIGUSR2');
      for (;;) {
        const all = [...server.output().matchAll(/^own delay (.+)$/gm)];
        const found = all[told];
        if (found) {
          told += 1;
          return JSON.parse(String(found[1]));
        }
        assert.ok(server.process.stderr);
        await once(server.process.stderr, 'data');
      }
    },
  };
}

export interface Asked {
  readonly status: number;
  readonly ms: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  readonly body: any;
}

export async function ask({ url }: Server, path: string, parameters: Readonly<Record<string, string>>): Promise<Asked> {
  const startMs = performance.now();
  const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  return { status: response.status, ms: performance.now() - startMs, body };
}
