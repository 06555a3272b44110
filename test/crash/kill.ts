import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';
import { startServer } from '../support/server.ts';

const PRODUCERS = 4;
const BATCH = 20;

/**
 * R1: four producers send batches and write down, outside the server, what they sent and what was acknowledged. The server is
 * killed at a random moment and started again, `cycles` times. Then: acknowledged ⊆ stored ⊆ sent, nothing twice, order kept.
 */
export async function killCycles(t: TestContext, cycles: number): Promise<void> {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  const journal = join(await scratch(t), 'acknowledged.txt');
  const sent = Array.from({ length: PRODUCERS }, () => 0);
  await appendFile(journal, '');
  for (let cycle = 0; cycle < cycles; cycle++) {
    const server = await startServer(t, { dataDir });
    if (cycle === 0) {
      for (let producer = 0; producer < PRODUCERS; producer++) await create(server.url, `producer-${producer}`);
    }
    const killed = new AbortController();
    const work = sent.map((_, producer) => produce(server.url, { producer, sent, journal, signal: killed.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20 + next() * 700));
    await server.kill();
    killed.abort();
    await Promise.all(work);
  }
  await check(dataDir, journal, sent);
}

async function create(url: string, taskId: string): Promise<void> {
  const response = await fetch(`${url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task_id: taskId }),
  });
  assert.equal(response.status, 201);
}

interface Producer {
  readonly producer: number;
  readonly sent: number[];
  readonly journal: string;
  readonly signal: AbortSignal;
}

async function produce(url: string, { producer, sent, journal, signal }: Producer): Promise<void> {
  while (!signal.aborted) {
    const first = (sent[producer] ?? 0) + 1;
    const numbers = Array.from({ length: BATCH }, (_, index) => first + index);
    sent[producer] = first + BATCH - 1;
    try {
      const response = await fetch(`${url}/api/tasks/producer-${producer}/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: numbers.map((number) => JSON.stringify({ message: String(number) })).join('\n'),
        signal,
      });
      if (!response.ok) throw new Error(await response.text());
      await response.json();
      await appendFile(journal, `${producer} ${first}\n`);
    } catch {
      // Killed in between: what became of the batch is not known here, so it is not acknowledged.
      return;
    }
  }
}

async function check(dataDir: string, journal: string, sent: readonly number[]): Promise<void> {
  const acknowledged = (await readFile(journal, 'utf8')).split('\n').filter((line) => line !== '');
  assert.ok(acknowledged.length > 0, 'something was acknowledged');
  const db = new DatabaseSync(join(dataDir, 'tasktrail.db'));
  try {
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    for (const [producer, last] of sent.entries()) {
      const rows = db
        .prepare('SELECT seq, message FROM task_logs WHERE task_id = ? ORDER BY seq')
        .all(`producer-${producer}`) as unknown as { seq: number; message: string }[];
      assert.deepEqual(
        rows.map(({ seq }) => seq),
        rows.map((_, index) => index + 1),
        'seqs without holes',
      );
      const numbers = rows.map(({ message }) => Number(message));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'in order',
      );
      const stored = new Set(numbers);
      assert.equal(stored.size, numbers.length, 'nothing twice');
      assert.ok(
        numbers.every((number) => number <= last),
        'nothing that was not sent',
      );
      for (const line of acknowledged.filter((text) => text.startsWith(`${producer} `))) {
        const first = Number(line.split(' ')[1]);
        for (let number = first; number < first + BATCH; number++) {
          assert.ok(stored.has(number), `acknowledged line ${number} of producer ${producer} is stored`);
        }
      }
    }
  } finally {
    db.close();
  }
}
