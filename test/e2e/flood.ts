import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectTrail } from '../../src/client/client.ts';
import type { Trail } from '../../src/core/trail.ts';
import { openTrail } from '../../src/trail/open.ts';
import { place, tasktrail } from '../cli/cli.ts';
import { startServer } from '../support/server.ts';

const FLOOD = fileURLToPath(new URL('../fixtures/programs/flood.js', import.meta.url));
const LINES = 10_000;

/** Run a program that floods both streams and exits at once, so often; every line must be there, every time. */
export async function floods(t: TestContext, { runs, server }: { runs: number; server: boolean }): Promise<void> {
  const at = await place(t);
  const served = server ? await startServer(t, { dataDir: at.dataDir }) : undefined;
  const numbered = (name: string) => Array.from({ length: LINES }, (_, index) => `${name} ${index + 1}`);
  for (let run = 1; run <= runs; run++) {
    const ran = await tasktrail(t, at, 'run', '--', process.execPath, FLOOD, String(LINES));
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout, `${numbered('out').join('\n')}\n`);
    const id = /task-[0-9A-Z]{26}/.exec(ran.stderr)?.[0] ?? '';
    const trail: Trail = served ? await connectTrail({ url: served.url }) : await openTrail({ dataDir: at.dataDir });
    const { logs, total } = await trail.logs(id, { limit: -1 });
    await trail.close();
    assert.equal(total, 2 * LINES, `run ${run}`);
    for (const [stream, name] of [
      ['stdout', 'out'],
      ['stderr', 'err'],
    ] as const) {
      const messages = logs.filter((line) => line.stream === stream).map(({ message }) => message);
      assert.deepEqual(messages, numbered(name), `run ${run}, ${stream}`);
    }
  }
}
