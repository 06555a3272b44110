import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BATCH_LINES, LINE_BYTES, METADATA_BYTES } from '../../src/core/limits.ts';
import { rejectsWith } from '../contract/store/support.ts';
import { door } from './door.ts';

test('a line gets its defaults, and what it bears is kept', async () => {
  const { send, stored } = await door();
  await send({ message: 'plain' });
  await send({
    message: '',
    timestamp: '2026-01-24T12:00:00+02:00',
    level: 'warn',
    source: ' git ',
    stream: 'stderr',
    type: 'tool_call',
    metadata: { a: [1, null] },
  });
  assert.deepEqual(
    (await stored()).map(({ id, taskId, ...line }) => line),
    [
      {
        seq: 1,
        timestamp: '2026-01-24T10:00:00.000Z',
        level: 'INFO',
        source: 'system',
        stream: null,
        type: 'log',
        message: 'plain',
        metadata: null,
      },
      {
        seq: 2,
        timestamp: '2026-01-24T10:00:00.000Z',
        level: 'WARNING',
        source: 'git',
        stream: 'stderr',
        type: 'tool_call',
        message: '',
        metadata: { a: [1, null] },
      },
    ],
  );
});

test('fields that an entry does not have are kept in its metadata, those of a stored entry are not', async () => {
  const { lines, stored } = await door();
  await lines('{"message":"x","user":7,"__proto__":{"evil":true},"metadata":{"user":8},"id":"task-9:4","seq":4}');
  const [line] = await stored();
  assert.equal(JSON.stringify(line?.metadata), '{"user":8,"__proto__":{"evil":true}}');
  assert.equal(line?.seq, 1);
  assert.equal(({} as { evil?: boolean }).evil, undefined);
});

test('one bad line refuses the batch, names every bad one, and stores nothing', async () => {
  const { lines, send, stored } = await door();
  const body = [
    '{"message":"fine"}',
    '',
    '{"message":7}',
    '{"message":"x","level":"loud"}',
    '[]',
    '{"message":"fine"}',
  ];
  await assert.rejects(
    lines(body.join('\n')),
    (error: { code: string; errors: { path: string; detail: string }[] }) => {
      assert.equal(error.code, 'invalid_lines');
      assert.deepEqual(
        error.errors.map(({ path }) => path),
        ['line 3', 'line 4', 'line 5'],
      );
      assert.match(error.errors[1]?.detail ?? '', /level: expected DEBUG, INFO, WARNING or ERROR, got "loud"/);
      return true;
    },
  );
  await assert.rejects(lines('{"message":"fine"}\n{broken'), { code: 'invalid_lines', message: /line 2/ });
  await assert.rejects(send([{ message: 'fine' }, { message: 'x', source: 'a,b' }]), { message: /entry 2/ });
  await assert.rejects(send([{ message: 'x', task_id: 'task-2' }]), { code: 'invalid_lines' });
  await assert.rejects(send([{ message: 'x', timestamp: '31 February' }]), { code: 'invalid_lines' });
  await assert.rejects(send('just text'), { code: 'invalid_lines' });
  assert.deepEqual(await stored(), []);
});

test('a body that is no JSON is refused without repeating what was in it', async () => {
  const { intake } = await door();
  const body = '{"message": "my password is hunter2" oops';
  await assert.rejects(
    intake.append({ taskId: 'task-1', body, format: 'json' }),
    (error: { code: string; message: string }) =>
      error.code === 'invalid_json' && /position \d+/.test(error.message) && !error.message.includes('hunter2'),
  );
});

test('limits have their own errors, and captured lines are cut instead', async () => {
  const { send, lines, stored } = await door();
  const huge = { blob: 'x'.repeat(METADATA_BYTES), small: 'stays' };
  await assert.rejects(send({ message: 'x', metadata: huge }), {
    code: 'metadata_too_large',
    message: /nothing was stored.*entry 1/,
  });
  await assert.rejects(send({ message: 'é'.repeat(LINE_BYTES / 2 + 1) }), { code: 'message_too_large' });
  await assert.rejects(lines('{"message":""}\n'.repeat(BATCH_LINES + 1)), { code: 'too_many_lines' });
  let deep: unknown = 1;
  for (let level = 0; level < 100; level++) deep = { deep };
  await assert.rejects(send({ message: 'x', metadata: { deep } }), { code: 'nested_too_deep' });
  assert.deepEqual(await stored(), []);

  await send({ message: 'x', metadata: huge }, { captured: true });
  const metadata = (await stored())[0]?.metadata;
  assert.equal(metadata?.small, 'stays');
  assert.ok(Number(metadata?._cut) > 0);
  assert.ok(Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_BYTES);

  const long = `${'é'.repeat(LINE_BYTES / 2)}😀 and the rest`;
  await send({ message: long, metadata: { a: 1 } }, { captured: true });
  const pieces = (await stored()).slice(1);
  assert.equal(pieces.map(({ message }) => message).join(''), long);
  assert.deepEqual(
    pieces.map(({ metadata }) => metadata),
    [{ a: 1 }, { continued: true }],
  );
});

test('lines of type log below the task level are counted and not kept; every other type is kept', async () => {
  const { intake, send, stored } = await door();
  const entries = [
    { message: 'quiet', level: 'DEBUG' },
    { message: 'a thought', level: 'DEBUG', type: 'thinking' },
    { message: 'loud', level: 'ERROR' },
  ];
  assert.deepEqual(await send(entries), { accepted: 2, filtered: 1, firstSeq: 1, lastSeq: 2 });
  assert.deepEqual(await send([{ message: 'quiet', level: 'DEBUG' }]), {
    accepted: 0,
    filtered: 1,
    firstSeq: null,
    lastSeq: null,
  });
  await intake.setTaskLevel('DEBUG');
  await send([{ message: 'quiet', level: 'DEBUG' }]);
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    ['a thought', 'loud', 'quiet'],
  );
});

test('secrets are masked in messages, metadata and every text of a task before they are stored', async () => {
  const { intake, send, stored, store } = await door();
  const token = `ghp_${'a1B2'.repeat(9)}`;
  await send({ message: `pushing with ${token}`, metadata: { env: { TOKEN: token } } });
  const task = await intake.createTask({
    taskId: 'task-2',
    title: token,
    params: { list: [token], [token]: 1 },
    input: { message: token },
    tags: [token],
  });
  const failed = await intake.changeTask('task-2', { status: 'failed', error: `refused ${token}`, result: { token } });
  const everything = JSON.stringify([await stored(), task, failed, await store.task('task-2')]);
  assert.ok(!everything.includes(token));
  assert.match((await stored())[0]?.message ?? '', /^pushing with \[redacted:github-token\]$/);
  assert.equal(intake.mask(`see ${token}`), 'see [redacted:github-token]');
});

test('a task id that holds a secret is refused, and an idempotency key that does is kept as its digest', async () => {
  const { intake, store } = await door();
  const token = `ghp_${'a1B2'.repeat(9)}`;
  await rejectsWith('invalid_task_id', () => intake.createTask({ taskId: `of-${token}` }));
  await intake.createTask({ taskId: 'keyed' });
  const send = (message: string) =>
    intake.append({ taskId: 'keyed', body: JSON.stringify({ message }), format: 'json', key: token });
  const first = await send('once');
  assert.deepEqual(await send('once'), first);
  const mismatch = await send('other').then(
    () => 'stored',
    ({ message }: Error) => message,
  );
  assert.match(mismatch, /key "sha256:[\w-]{43}" was used with another body/);
  assert.equal((await store.task('keyed')).log.lastSeq, 1);
});

test('what arrives while a commit is under way shares the next one, in order', async () => {
  const { store, intake, stored } = await door();
  const append = store.append.bind(store);
  const sizes: number[] = [];
  let release = (): void => {};
  store.append = async (batches) => {
    sizes.push(batches.length);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return append(batches);
  };
  const send = (message: string) =>
    intake.append({ taskId: 'task-1', body: JSON.stringify({ message }), format: 'json' });
  const all = [send('0')];
  while (sizes.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let index = 1; index <= 50; index++) all.push(send(String(index)));
  const ended = intake.changeTask('task-1', { status: 'completed' });
  release();
  while (sizes.length === 1) await new Promise((resolve) => setImmediate(resolve));
  release();
  const receipts = await Promise.all(all);
  await ended;
  assert.deepEqual(sizes, [1, 50]);
  assert.deepEqual(
    receipts.map(({ firstSeq }) => firstSeq),
    Array.from({ length: 51 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    Array.from({ length: 51 }, (_, index) => String(index)),
  );
});

test('a closed door refuses', async () => {
  const { intake, send } = await door();
  const last = send({ message: 'last' });
  await intake.close();
  assert.equal((await last).accepted, 1);
  await assert.rejects(send({ message: 'late' }), { code: 'store_closed' });
});

test('any JSON at all is either stored as it is or refused, never thrown over', async () => {
  const { send, store } = await door();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ message: fc.string({ unit: 'binary' }), metadata: fc.jsonValue() })),
      async (entries) => {
        const before = (await store.task('task-1')).log.lastSeq;
        const fine = entries.every(
          ({ metadata }) => metadata === null || (typeof metadata === 'object' && !Array.isArray(metadata)),
        );
        if (!fine) return assert.rejects(send(entries), { code: 'invalid_lines' });
        await send(entries);
        const page = await store.read('task-1', { after: before, limit: 5_000 });
        assert.deepEqual(
          page.entries.map(({ message }) => message),
          entries.map(({ message }) => message.toWellFormed()),
        );
      },
    ),
    { numRuns: 200 },
  );
});
