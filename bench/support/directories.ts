import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether this variant runs with task directories. */
export const WITH_DIRECTORIES = process.env.TASK_LOGS_ENABLED === 'true';

const LOOK_MS = 20;
const WAIT_MS = 120_000;

/** Resolves when the directory of the only task has all its lines; at once where there are no directories. */
export async function projected(dataDir: string, lines: number): Promise<void> {
  if (!WITH_DIRECTORIES) return;
  const tasks = join(dataDir, 'tasks');
  const untilMs = performance.now() + WAIT_MS;
  let [seen, from] = [0, 0];
  while (performance.now() < untilMs) {
    const [name] = existsSync(tasks) ? readdirSync(tasks) : [];
    const file = join(tasks, name ?? '', '03-agent-output.jsonl');
    if (name !== undefined && existsSync(file)) {
      for await (const bytes of createReadStream(file, { start: from }) as AsyncIterable<Buffer>) {
        from += bytes.length;
        for (const byte of bytes) if (byte === 0x0a) seen += 1;
      }
    }
    if (seen === lines) return;
    await delay(LOOK_MS);
  }
  throw new Error(`the directory has ${seen} of ${lines} lines`);
}
