import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { openTaskDirectory } from '../../src/trail/index.ts';
import { scratch } from '../support/scratch.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/programs/directory-writer.ts', import.meta.url));
const run = promisify(execFile);

async function opened(t: TestContext, taskId = 'task-1') {
  const dir = await scratch(t);
  const files = await openTaskDirectory(dir, taskId);
  t.after(() => files.close());
  const path = join(dir, taskId);
  return {
    dir,
    path,
    files,
    text: (name: string) => readFile(join(path, name), 'utf8'),
    json: async (name: string) => JSON.parse(await readFile(join(path, name), 'utf8')),
    lines: async (name: string) =>
      (await readFile(join(path, name), 'utf8')).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])),
  };
}

describe('opening a task directory', () => {
  test('makes it for its owner only, with the directories above it', async (t) => {
    const dir = join(await scratch(t), 'logs', 'tasks');
    await (await openTaskDirectory(dir, 'task-1737737400.123')).close();
    for (const path of [dir, join(dir, 'task-1737737400.123')]) assert.equal((await lstat(path)).mode & 0o777, 0o700);
  });

  test('refuses ids that are none, and makes nothing for them', async (t) => {
    const dir = join(await scratch(t), 'tasks');
    for (const id of ['', '.', '..', '../out', 'a/b', 'a\\b', '/etc', 'a\0b', '.hidden', 'x'.repeat(129), 'ä']) {
      await assert.rejects(openTaskDirectory(dir, id), { code: 'invalid_task_id' }, JSON.stringify(id));
    }
    await assert.rejects(lstat(dir), { code: 'ENOENT' });
  });

  test('does not follow a link that stands in its place', async (t) => {
    const [dir, outside] = [await scratch(t), await scratch(t)];
    await symlink(outside, join(dir, 'task-1'));
    await assert.rejects(openTaskDirectory(dir, 'task-1'), { code: 'store_unavailable' });
    assert.deepEqual(await readdir(outside), []);
  });

  test('says what is wrong when a file stands in its place', async (t) => {
    const dir = await scratch(t);
    await writeFile(join(dir, 'task-1'), '');
    await assert.rejects(openTaskDirectory(dir, 'task-1'), { code: 'store_unavailable', message: /task-1/ });
  });
});

describe('documents', () => {
  test('are compact JSON of one line, readable by their owner only', async (t) => {
    const { files, path, text } = await opened(t);
    await files.writeFinalResult({ success: false, error: 'no', completed_at: '2024-01-01T00:00:50Z' });
    assert.match(await text('04-final-result.json'), /^\{[^\n]*"success":false[^\n]*\}\n$/);
    assert.equal((await lstat(join(path, '04-final-result.json'))).mode & 0o777, 0o600);
  });

  test('metadata is merged into what is there', async (t) => {
    const { files, json } = await opened(t);
    await files.writeMetadata({ source: 'webhook', provider: 'github', status: 'queued' });
    await files.writeMetadata({ status: 'running', model: 'opus' });
    assert.deepEqual(await json('metadata.json'), {
      task_id: 'task-1',
      source: 'webhook',
      provider: 'github',
      status: 'running',
      model: 'opus',
    });
  });

  test('nothing empties a field of the metadata', async (t) => {
    const { files, json } = await opened(t);
    await files.writeMetadata({ model: 'opus', user_id: null });
    await files.writeMetadata({ model: null, user_id: undefined, task_id: 'another' });
    assert.deepEqual(await json('metadata.json'), { task_id: 'task-1', model: 'opus', user_id: null });
  });

  test('metadata of two writers at once loses no field', async (t) => {
    const { files, dir, json } = await opened(t);
    const other = await openTaskDirectory(dir, 'task-1');
    t.after(() => other.close());
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(numbers.map((n) => (n % 2 ? files : other).writeMetadata({ [`field_${n}`]: n })));
    const written = await json('metadata.json');
    assert.deepEqual(
      numbers.filter((n) => written[`field_${n}`] !== n),
      [],
    );
  });

  test('metadata that was damaged is written anew', async (t) => {
    const { files, path, json } = await opened(t);
    await writeFile(join(path, 'metadata.json'), '{"task_id":"task-1","sta');
    await files.writeMetadata({ status: 'running' });
    assert.deepEqual(await json('metadata.json'), { task_id: 'task-1', status: 'running' });
  });

  test('input has its message and where it came from', async (t) => {
    const { files, json } = await opened(t);
    const source_metadata = { provider: 'github', event_type: 'issue_comment.created', issue_number: 42 };
    await files.writeInput({ message: 'fix it', source_metadata });
    assert.deepEqual(await json('01-input.json'), { message: 'fix it', source_metadata });
  });

  test('a final result always has its metrics and the time', async (t) => {
    const { files, json } = await opened(t);
    await files.writeFinalResult({ success: true, result: 'done', metrics: { cost_usd: 0.0234, num_turns: 3 } });
    const { completed_at, ...rest } = await json('04-final-result.json');
    assert.match(completed_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(rest, {
      success: true,
      result: 'done',
      error: null,
      metrics: { cost_usd: 0.0234, input_tokens: null, output_tokens: null, duration_seconds: null, num_turns: 3 },
    });
  });

  test('a reader finds the old document or the new one, never a part', async (t) => {
    const { files, json } = await opened(t);
    const padding = 'x'.repeat(200_000);
    await files.writeInput({ message: '0', padding });
    let over = false;
    let reads = 0;
    const reading = (async () => {
      for (let last = 0; !over; reads++) {
        const { message, padding: read } = await json('01-input.json');
        assert.ok(Number(message) >= last && read === padding);
        last = Number(message);
      }
    })();
    for (let n = 1; n <= 50; n++) await files.writeInput({ message: String(n), padding });
    over = true;
    await reading;
    assert.ok(reads > 10, `${reads} reads`);
  });

  test('leave no temporary file behind, also when they cannot be written', async (t) => {
    const { files, path } = await opened(t);
    await files.writeInput({ message: 'one' });
    await rm(join(path, '01-input.json'));
    await mkdir(join(path, '01-input.json', 'in the way'), { recursive: true });
    await assert.rejects(files.writeInput({ message: 'two' }), { code: 'store_unavailable' });
    assert.deepEqual(await readdir(path), ['01-input.json']);
  });

  test('a link in the place of a document is replaced, and what it leads to stays', async (t) => {
    const { files, path, json } = await opened(t);
    const outside = join(await scratch(t), 'secret');
    await writeFile(outside, 'untouched');
    await symlink(outside, join(path, '01-input.json'));
    await files.writeInput({ message: 'mine' });
    assert.equal((await json('01-input.json')).message, 'mine');
    assert.equal(await readFile(outside, 'utf8'), 'untouched');
  });
});

describe('lines', () => {
  test('of a webhook bear their stage and all that was given', async (t) => {
    const { files, text } = await opened(t);
    const timestamp = '2024-01-01T00:00:02.000Z';
    await files.appendWebhookEvent({ stage: 'command_matching', timestamp, command: 'review', matched: true });
    assert.equal(
      await text('02-webhook-flow.jsonl'),
      `{"timestamp":"${timestamp}","stage":"command_matching","command":"review","matched":true}\n`,
    );
  });

  test('of an agent are output unless they say otherwise, at a time in any form', async (t) => {
    const { files, lines } = await opened(t);
    await files.appendAgentOutput({ content: '[SYSTEM] Task started\n', timestamp: 1_704_067_205_000 });
    await files.appendAgentOutput({
      content: 'Read',
      type: 'tool_call',
      args: { file: 'a.ts' },
      timestamp: '2024-01-01',
    });
    assert.deepEqual(await lines('03-agent-output.jsonl'), [
      { timestamp: '2024-01-01T00:00:05.000Z', type: 'output', content: '[SYSTEM] Task started\n' },
      { timestamp: '2024-01-01T00:00:00.000Z', type: 'tool_call', content: 'Read', args: { file: 'a.ts' } },
    ]);
  });

  test('of a person are answers to a question', async (t) => {
    const { files, lines } = await opened(t);
    await files.appendUserInput({ content: 'yes', timestamp: '2024-01-01T00:00:00Z' });
    await files.appendUserInput({ content: 'no', question_type: 'approval', timestamp: '2024-01-01T00:00:00Z' });
    const line = { timestamp: '2024-01-01T00:00:00.000Z', type: 'user_response' };
    assert.deepEqual(await lines('03-user-inputs.jsonl'), [
      { ...line, question_type: 'clarification', content: 'yes' },
      { ...line, question_type: 'approval', content: 'no' },
    ]);
  });

  test('keep the order in which they were added, awaited or not', async (t) => {
    const { files, lines } = await opened(t);
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => files.appendAgentOutput({ content: String(n) })));
    const contents = (await lines('03-agent-output.jsonl')).map(({ content }) => Number(content));
    assert.deepEqual(
      contents,
      Array.from({ length: 5_000 }, (_, n) => n),
    );
  });

  test('any text is one line for every program, and comes back as it was', async (t) => {
    const { files, text } = await opened(t);
    const wild = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });
    const written: string[] = [];
    await fc.assert(
      fc.asyncProperty(wild, async (contents) => {
        for (const content of [...contents, 'a\r\nb\u2028c\u2029d\u0085e\0f']) {
          await files.appendAgentOutput({ content });
          written.push(content);
        }
      }),
      { numRuns: 50 },
    );
    const found = (await text('03-agent-output.jsonl')).split(/[\n\r\u0085\u2028\u2029]/).slice(0, -1);
    assert.deepEqual(
      found.map((line) => JSON.parse(line).content),
      written.map((content) => content),
    );
  });

  test('of several processes stand whole beside each other, and so do their metadata', async (t) => {
    const { dir, lines, json } = await opened(t);
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => run(process.execPath, [PROGRAM, dir, 'task-1', name, '100'])));
    const contents = (await lines('03-agent-output.jsonl')).map(({ content }) => content.split(' '));
    for (const name of names) {
      const numbers = contents.filter(([writer]) => writer === name).map(([, n]) => Number(n));
      assert.deepEqual(
        numbers,
        Array.from({ length: 100 }, (_, n) => n + 1),
      );
    }
    assert.equal(Object.keys(await json('metadata.json')).length, 1 + names.length * 10);
  });

  test('after a torn one stand by themselves: only the torn one is lost', async (t) => {
    const { files, path, text } = await opened(t);
    await files.appendAgentOutput({ content: 'first', timestamp: 0 });
    await appendFile(join(path, '03-agent-output.jsonl'), '{"timestamp":"2024-01-');
    await files.appendAgentOutput({ content: 'second', timestamp: 0 });
    const [first = '', torn, second = '', ...rest] = (await text('03-agent-output.jsonl')).split('\n');
    assert.deepEqual([JSON.parse(first).content, JSON.parse(second).content], ['first', 'second']);
    assert.equal(torn, '{"timestamp":"2024-01-');
    assert.deepEqual(rest, ['']);
  });

  test('go on in a new file when theirs was taken away', async (t) => {
    const { files, path, lines } = await opened(t);
    await files.appendAgentOutput({ content: 'gone' });
    await rm(join(path, '03-agent-output.jsonl'));
    await files.appendAgentOutput({ content: 'kept' });
    assert.deepEqual(
      (await lines('03-agent-output.jsonl')).map(({ content }) => content),
      ['kept'],
    );
  });

  test('do not follow a link in the place of their file', async (t) => {
    const { files, path } = await opened(t);
    const outside = join(await scratch(t), 'secret');
    await writeFile(outside, '');
    await symlink(outside, join(path, '03-agent-output.jsonl'));
    await assert.rejects(files.appendAgentOutput({ content: 'x' }), { code: 'store_unavailable' });
    assert.equal(await readFile(outside, 'utf8'), '');
  });

  test('that nobody awaits are bounded in memory', async (t) => {
    const { files } = await opened(t);
    const content = 'x'.repeat(1024 * 1024);
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => files.appendAgentOutput({ content })));
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.ok(refused.length > 0 && refused.length < 40, `${refused.length} refused`);
    assert.ok(refused.every(({ reason }) => reason.code === 'buffer_full'));
  });
});

describe('values that cannot be written', () => {
  test('are refused before anything is touched', async (t) => {
    const { files, path } = await opened(t);
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const bad: readonly (() => Promise<void>)[] = [
      () => files.writeMetadata(circle),
      () => files.writeMetadata({ count: 10n }),
      () => files.writeMetadata([] as never),
      () => files.writeInput({} as never),
      () => files.writeInput(null as never),
      () => files.appendWebhookEvent({ stage: '' }),
      () => files.appendWebhookEvent({} as never),
      () => files.appendAgentOutput({ content: 5 } as never),
      () => files.appendAgentOutput({ content: 'x', timestamp: 'yesterday' }),
      () => files.appendUserInput({} as never),
      () => files.writeFinalResult({ success: 'yes' } as never),
      () => files.writeFinalResult({ success: true, completed_at: '2024-02-31' }),
    ];
    for (const write of bad) await assert.rejects(write, { code: 'invalid_parameter' });
    assert.deepEqual(await readdir(path), []);
  });
});

test('a closed directory refuses to write, and may be closed again', async (t) => {
  const { files } = await opened(t);
  await files.appendAgentOutput({ content: 'x' });
  await files.close();
  await files.close();
  await assert.rejects(files.appendAgentOutput({ content: 'y' }), { code: 'store_closed' });
  await assert.rejects(files.writeMetadata({ a: 1 }), { code: 'store_closed' });
});

test('the example in docs/task-directory.md runs as it is written', async (t) => {
  const docs = await readFile(new URL('../../docs/task-directory.md', import.meta.url), 'utf8');
  const code = /```ts\nimport \{ openTaskDirectory \} from 'tasktrail';\n([\s\S]*?)```/.exec(docs)?.[1] ?? '';
  const dir = await scratch(t);
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...given: unknown[]) => Promise<void>;
  await new AsyncFunction('openTaskDirectory', code.replaceAll('/data/logs/tasks', dir))(openTaskDirectory);
  assert.equal((await readdir(join(dir, 'task-abc123'))).length, 6);
});
