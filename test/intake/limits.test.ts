import assert from 'node:assert/strict';
import test from 'node:test';
import { isSource } from '../../src/core/entry.ts';
import { BODY_BYTES, LINE_BYTES, METADATA_BYTES } from '../../src/core/limits.ts';
import type { TaskChange } from '../../src/core/task.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { door } from './door.ts';

const GROWING = '://a:b@';

test('a message that masking makes longer goes on in following lines, and nothing of it is lost', async () => {
  const { send, stored } = await door();
  const message = GROWING.repeat(149_000);
  assert.ok(message.length <= LINE_BYTES);
  await send({ message, metadata: { a: 1 } });
  const lines = await stored();
  assert.equal(lines.map((line) => line.message).join(''), createRedactor().mask(message));
  for (const line of lines) assert.ok(Buffer.byteLength(line.message) <= LINE_BYTES);
  assert.deepEqual(lines[0]?.metadata, { a: 1 });
  assert.ok(lines.length > 1 && lines.slice(1).every((line) => line.metadata?.continued === true));
});

test('metadata that masking makes longer is cut to its limit and says so', async () => {
  const { send, stored } = await door();
  const url = GROWING.repeat(9_000);
  assert.ok(url.length <= METADATA_BYTES);
  await send({ message: 'x', metadata: { url, small: 'stays' } });
  const metadata = (await stored())[0]?.metadata;
  assert.equal(metadata?.small, 'stays');
  assert.ok(Number(metadata?._cut) > 0);
  assert.ok(Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_BYTES);
});

test('a secret in a source is masked, and what is left is a source still', async () => {
  const { send, stored } = await door();
  const url = `x://:p@${'y'.repeat(57)}`;
  await send([
    { message: 'x', source: `AKIA${'ABCD2345'.repeat(2)}` },
    { message: 'x', source: url },
  ]);
  const sources = (await stored()).map(({ source }) => source);
  assert.equal(sources[0], '[redacted:aws-key]');
  assert.match(sources[1] ?? '', /^x:\/\/:\[redacted:url-password\]@y+$/);
  assert.ok(sources.every(isSource));
});

const FLOODS = {
  'empty objects': [`[${'{},'.repeat(BODY_BYTES / 3 - 1)}{}]`, 'too_many_lines'],
  'texts of one backslash': [`[${'"\\\\",'.repeat(BODY_BYTES / 5 - 1)}1]`, 'too_many_lines'],
  'numbers after white space': [` \n\t[${'0,'.repeat(BODY_BYTES / 2 - 4)}0]`, 'too_many_lines'],
  'nested arrays': ['['.repeat(BODY_BYTES / 2) + ']'.repeat(BODY_BYTES / 2), 'nested_too_deep'],
  'arrays that never end': ['['.repeat(BODY_BYTES), 'nested_too_deep'],
  'nested objects': [`${'{"a":'.repeat(BODY_BYTES / 8)}1${'}'.repeat(BODY_BYTES / 8)}`, 'nested_too_deep'],
} as const;
for (const [name, [body, code]] of Object.entries(FLOODS)) {
  test(`a body of 32 MiB of ${name} is refused before it is parsed`, async () => {
    const { intake } = await door();
    const start = performance.now();
    await assert.rejects(intake.append({ taskId: 'task-1', body, format: 'json' }), {
      code,
      message: code === 'nested_too_deep' ? /nesting/ : /at most 100000 lines/,
    });
    assert.ok(performance.now() - start < 1_000);
  });
}

test('a long line of NDJSON that nests without end is named as a bad line', async () => {
  const { lines } = await door();
  const start = performance.now();
  await assert.rejects(lines(`{"message":"fine"}\n${'['.repeat(BODY_BYTES / 2)}`), {
    code: 'invalid_lines',
    errors: [{ path: 'line 2', detail: 'expected at most 72 levels of nesting' }],
  });
  assert.ok(performance.now() - start < 1_000);
});

test('commas, brackets and quotes inside texts and metadata count for nothing', async () => {
  const { send, lines } = await door();
  const line = { message: ',[{"\\'.repeat(150_000), metadata: { list: Array(5_000).fill(1) } };
  assert.equal((await send([line, line])).accepted, 2);
  assert.equal((await send(line)).accepted, 1);
  assert.equal((await lines(JSON.stringify(line))).accepted, 1);
  // The members of one entry are not lines.
  const members = Object.fromEntries(Array.from({ length: 120_000 }, (_, index) => [`k${index}`, 1]));
  await assert.rejects(send({ message: 'x', ...members }), { code: 'too_many_fields' });
});

test('a task with wrong fields is refused with every fault named', async () => {
  const { intake } = await door();
  const wrong = {
    title: 'x'.repeat(2_000),
    tags: 'not a list',
    createdAt: 'yesterday',
    metrics: { costUsd: -1, coffee: 2, constructor: 3, inputTokens: 2 ** 53 },
    exitCode: 2 ** 60,
    error: { an: 'object' },
  } as unknown as Parameters<typeof intake.createTask>[0];
  await assert.rejects(intake.createTask(wrong), (error: { code: string; errors: { path: string }[] }) => {
    assert.equal(error.code, 'invalid_task');
    assert.deepEqual(error.errors.map(({ path }) => path).sort(), [
      'created_at',
      'error',
      'exit_code',
      'metrics.coffee',
      'metrics.constructor',
      'metrics.cost_usd',
      'metrics.input_tokens',
      'tags',
      'title',
    ]);
    return true;
  });
  await assert.rejects(intake.createTask({ taskId: '../etc' }), { code: 'invalid_task_id' });
  await assert.rejects(intake.createTask({ taskId: '' }), { code: 'invalid_task_id' });
});

test('an exit code is a whole number of 32 bits, as POSIX and Windows give them; nothing else is stored', async () => {
  const { intake, store } = await door();
  for (const exitCode of [0, 137, -1, -(2 ** 31), 0xc000_0005, 2 ** 32 - 1]) {
    await intake.changeTask('task-1', { exitCode });
    assert.equal((await store.task('task-1')).exitCode, exitCode);
  }
  for (const exitCode of [2 ** 60, 2 ** 32, -(2 ** 31) - 1, 1.5, Number.NaN, '1', true]) {
    await assert.rejects(intake.changeTask('task-1', { exitCode } as TaskChange), {
      code: 'invalid_task',
      message: /exit_code/,
    });
  }
  await intake.changeTask('task-1', { exitCode: null, error: null });
  for (const error of [{ a: 1 }, ['x'], 7, false]) {
    await assert.rejects(intake.changeTask('task-1', { error } as unknown as TaskChange), {
      code: 'invalid_task',
      message: 'error: expected text or null',
    });
  }
  for (const metrics of [7, 'text', [], { costUsd: 2 ** 60 }, { costUsd: Number.POSITIVE_INFINITY }]) {
    await assert.rejects(intake.changeTask('task-1', { metrics } as TaskChange), { code: 'invalid_task' });
  }
  assert.equal((await store.task('task-1')).exitCode, null);
});
