import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEntries } from '../../src/outlet/directory/read.ts';
import { openTaskDirectory } from '../../src/outlet/directory/writer.ts';
import { scratch } from '../support/scratch.ts';

const skip = process.platform === 'linux' ? false : 'open files are counted below /proc';

test('a reader who leaves early leaves no file open', { skip }, async (t) => {
  const dir = await scratch(t);
  const files = await openTaskDirectory(dir, 'task-1');
  for (let n = 0; n < 100; n++) await files.appendAgentOutput({ content: `line ${n}` });
  await files.appendWebhookEvent({ stage: 'received' });
  await files.close();
  const open = async () => (await readdir('/proc/self/fd')).length;
  const before = await open();
  for (let turn = 0; turn < 20; turn++) {
    for await (const entry of readEntries(join(dir, 'task-1'), () => {})) {
      assert.ok(entry);
      break;
    }
  }
  assert.ok((await open()) <= before, `${await open()} open files, ${before} before`);
});
