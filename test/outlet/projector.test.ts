import assert from 'node:assert/strict';
import { existsSync, statSync, watch } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { projected } from './support.ts';

const SIX = [
  '01-input.json',
  '02-webhook-flow.jsonl',
  '03-agent-output.jsonl',
  '03-user-inputs.jsonl',
  '04-final-result.json',
  'metadata.json',
];

describe('a task in its directory', () => {
  test('has the six files with what was committed', async (t) => {
    const { intake, append, settled, path, json, lines } = await projected(t);
    await intake.createTask({
      taskId: 'task-1',
      source: 'webhook',
      provider: 'github',
      model: 'opus',
      metadata: { branch: 'main' },
      input: { message: 'fix it', sourceMetadata: { repo: 'owner/repo' } },
    });
    await append(
      'task-1',
      { message: 'received', type: 'webhook', metadata: { stage: 'received', event_type: 'push' } },
      { message: 'working', level: 'WARNING', source: 'git', stream: 'stderr', type: 'output' },
      { message: 'the blue one', type: 'user_input' },
    );
    await intake.changeTask('task-1', { status: 'completed', result: 'done', metrics: { costUsd: 0.5 }, exitCode: 0 });
    await settled();
    assert.deepEqual((await readdir(path('task-1'))).sort(), SIX);
    const metadata = await json('task-1', 'metadata.json');
    assert.equal(metadata.task_id, 'task-1');
    assert.equal(metadata.status, 'completed');
    assert.equal(metadata.branch, 'main');
    assert.deepEqual(await json('task-1', '01-input.json'), {
      message: 'fix it',
      source_metadata: { repo: 'owner/repo' },
    });
    const [webhook] = await lines('task-1', '02-webhook-flow.jsonl');
    assert.deepEqual([webhook.seq, webhook.stage, webhook.event_type], [1, 'received', 'push']);
    const [output] = await lines('task-1');
    assert.deepEqual(
      [output.seq, output.content, output.level, output.source, output.stream, output.type],
      [2, 'working', 'WARNING', 'git', 'stderr', 'output'],
    );
    const [answer] = await lines('task-1', '03-user-inputs.jsonl');
    assert.deepEqual([answer.seq, answer.type, answer.content], [3, 'user_response', 'the blue one']);
    const result = await json('task-1', '04-final-result.json');
    assert.deepEqual([result.success, result.result, result.exit_code], [true, 'done', 0]);
    assert.equal(result.metrics.cost_usd, 0.5);
  });

  test('is for its owner only', async (t) => {
    const { intake, append, settled, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await settled();
    assert.equal((await lstat(path('task-1'))).mode & 0o777, 0o700);
    for (const name of await readdir(path('task-1'))) {
      assert.equal((await lstat(path('task-1', name))).mode & 0o777, 0o600, name);
    }
  });

  test('is there as soon as the task is, and reads running while it works', async (t) => {
    const { intake, settled, path, json } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await settled();
    assert.deepEqual(await readdir(path('task-1')), ['metadata.json']);
    assert.equal((await json('task-1', 'metadata.json')).status, 'running');
  });

  test('grows within 250 ms of a commit', async (t) => {
    const { intake, append, settled, path, contents } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'first');
    await settled();
    const delays: number[] = [];
    for (let n = 0; n < 5; n++) {
      const grown = Promise.withResolvers<void>();
      const watcher = watch(path('task-1', '03-agent-output.jsonl'), () => grown.resolve());
      await append('task-1', `line ${n}`);
      const committedMs = performance.now();
      await grown.promise;
      delays.push(performance.now() - committedMs);
      watcher.close();
    }
    t.diagnostic(`behind by ${delays.map((delay) => delay.toFixed(0)).join(', ')} ms`);
    const [, , median = 0] = delays.toSorted((a, b) => a - b);
    assert.ok(median <= 250, `median of ${delays}`);
    assert.equal((await contents('task-1')).length, 6);
  });

  test('a document is written only when its content changed', async (t) => {
    const { intake, append, settled, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1', input: { message: 'x' } });
    await settled();
    const before = await Promise.all(['metadata.json', '01-input.json'].map((name) => stat(path('task-1', name))));
    await append('task-1', 'one');
    await intake.changeTask('task-1', { metrics: { costUsd: 1 } });
    await settled();
    const after = await Promise.all(['metadata.json', '01-input.json'].map((name) => stat(path('task-1', name))));
    assert.deepEqual(
      after.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
      before.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
    );
    await intake.changeTask('task-1', { metadata: { branch: 'next' } });
    await settled();
    assert.notEqual((await stat(path('task-1', 'metadata.json'))).ino, before[0]?.ino);
  });

  test('that is opened again has no final result until it ends again', async (t) => {
    const { intake, settled, path, json } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await intake.changeTask('task-1', { status: 'failed', error: 'no' });
    await settled();
    assert.equal((await json('task-1', '04-final-result.json')).error, 'no');
    await intake.changeTask('task-1', { status: 'executing' });
    await settled();
    assert.equal(existsSync(path('task-1', '04-final-result.json')), false);
    await intake.changeTask('task-1', { status: 'completed' });
    await settled();
    assert.equal((await json('task-1', '04-final-result.json')).success, true);
  });

  test('takes late lines after its end', async (t) => {
    const { intake, append, settled, contents } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await intake.changeTask('task-1', { status: 'completed' });
    await settled();
    await append('task-1', 'late');
    await settled();
    assert.deepEqual(await contents('task-1'), ['one', 'late']);
  });

  test('goes when the task is deleted', async (t) => {
    const { intake, append, settled, dir } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await intake.createTask({ taskId: 'task-2' });
    await append('task-1', 'one');
    await settled();
    await intake.deleteTask('task-1', 'test');
    await settled();
    assert.deepEqual(await readdir(dir), ['task-2']);
  });

  test('that was interrupted is finished with its reason', async (t) => {
    const { intake, append, start, stop, settled, json } = await projected(t);
    await intake.createTask({ taskId: 'task-1', runner: 'plugin:demo' });
    await append('task-1', 'working');
    await settled();
    await stop();
    await intake.changeTask('task-1', { status: 'failed', error: 'server stopped' });
    await start();
    await settled();
    const result = await json('task-1', '04-final-result.json');
    assert.deepEqual([result.success, result.error], [false, 'server stopped']);
  });
});

describe('many tasks', () => {
  test('at once are all written, and hold no file open', async (t) => {
    const { intake, append, settled, contents, dir } = await projected(t);
    const ids = Array.from({ length: 1_500 }, (_, n) => `task-${n}`);
    await settled();
    await Promise.all(ids.map((taskId) => intake.createTask({ taskId })));
    await Promise.all(ids.map((taskId) => append(taskId, `of ${taskId}`)));
    let over = false;
    let most = 0;
    const looking = (async () => {
      while (!over) most = Math.max(most, await openBelow(dir));
    })();
    await settled();
    over = true;
    await looking;
    assert.ok(most < 10, `${most} descriptors`);
    for (const taskId of ids) assert.deepEqual(await contents(taskId), [`of ${taskId}`]);
  });

  test('that are new get their lines first, and their documents after', async (t) => {
    const { intake, append, settled, dir, path } = await projected(t);
    await settled();
    const ids = Array.from({ length: 1_000 }, (_, n) => `task-${n}`);
    await Promise.all(ids.map((taskId) => intake.createTask({ taskId, status: 'completed', result: taskId })));
    await Promise.all(ids.map((taskId) => append(taskId, 'one')));
    const has = (name: string): number => ids.filter((taskId) => existsSync(path(taskId, name))).length;
    while (has('03-agent-output.jsonl') < ids.length) await new Promise((resolve) => setImmediate(resolve));
    const documents = has('04-final-result.json');
    assert.ok(documents < ids.length, `${documents} documents`);
    await settled();
    assert.equal(has('04-final-result.json'), ids.length);
    assert.equal((await readdir(dir)).length, ids.length);
  });

  test('are not held up by one that is very long', async (t) => {
    const { intake, store, append, start, settled, contents, path } = await projected(t);
    await intake.createTask({ taskId: 'long' });
    const drafts = Array.from({ length: 50_000 }, (_, n) => ({
      timestamp: '2024-01-01T00:00:00.000Z',
      level: 'INFO' as const,
      source: 'x',
      stream: null,
      type: 'log' as const,
      message: `${n}`,
      metadataJson: null,
    }));
    for (let batch = 0; batch < 6; batch++) await store.append([{ taskId: 'long', drafts, filtered: 0, lost: 0 }]);
    await intake.createTask({ taskId: 'short' });
    await append('short', 'quick');
    await start();
    const seen = Promise.withResolvers<number>();
    const poll = setInterval(() => {
      if (existsSync(path('short', '03-agent-output.jsonl'))) {
        seen.resolve(statSync(path('long', '03-agent-output.jsonl'), { throwIfNoEntry: false })?.size ?? 0);
      }
    }, 1);
    const longBytes = await seen.promise;
    clearInterval(poll);
    await settled();
    assert.deepEqual(await contents('short'), ['quick']);
    assert.equal((await contents('long')).length, 300_000);
    assert.ok(longBytes < statSync(path('long', '03-agent-output.jsonl')).size / 2, `${longBytes} bytes first`);
  });
});

describe('a disk that cannot be written', () => {
  test('is counted and warned of once a minute, touches no task, and is repaired when it works again', async (t) => {
    let nowMs = 1_000_000;
    const { intake, append, start, settled, contents, dir, warnings, store } = await projected(t, {
      clock: { now: () => nowMs },
    });
    const projector = await start();
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await settled();
    await rename(join(dir, 'task-1'), join(dir, '.aside'));
    await writeFile(join(dir, 'task-1'), 'in the way');
    await append('task-1', 'two');
    await append('task-1', 'three');
    await settled();
    assert.ok(projector.failures > 0);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /task-1/);
    assert.equal((await store.task('task-1')).log.lastSeq, 3);
    nowMs += 61_000;
    await append('task-1', 'four');
    await settled();
    assert.equal(warnings.length, 2);
    await rm(join(dir, 'task-1'));
    nowMs += 61_000;
    await settled();
    await settled();
    assert.deepEqual(await contents('task-1'), ['one', 'two', 'three', 'four']);
  });

  test('at one task does not keep the others from being written', async (t) => {
    const { intake, append, settled, contents, dir, warnings } = await projected(t);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'bad'), 'in the way');
    for (const taskId of ['bad', 'good']) {
      await intake.createTask({ taskId });
      await append(taskId, 'one');
    }
    await settled();
    assert.deepEqual(await contents('good'), ['one']);
    assert.equal(warnings.length, 1);
  });

  test('as a whole does not stop the tasks, and all is written when it is there again', async (t) => {
    const { intake, append, start, settled, contents, dir, root } = await projected(t);
    await writeFile(dir, 'a file where the directory should be');
    const projector = await start();
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    while (projector.failures === 0) await new Promise((resolve) => setImmediate(resolve));
    await rm(dir);
    await settled();
    assert.deepEqual(await contents('task-1'), ['one']);
    assert.deepEqual((await readdir(root)).sort(), ['data', 'tasks']);
  });
});

describe('a task whose lines the store compressed', () => {
  const LATER = '2100-01-01T00:00:00.000Z';

  test('has its output compressed, the other files plain, and takes late lines', async (t) => {
    const { intake, store, append, settled, path, start } = await projected(t);
    await intake.createTask({ taskId: 'task-1', input: { message: 'x' } });
    for (let n = 0; n < 30; n++)
      await append('task-1', ...Array.from({ length: 100 }, (_, i) => `line ${n * 100 + i}`));
    await append('task-1', { message: 'received', type: 'webhook' });
    await intake.changeTask('task-1', { status: 'completed' });
    await settled();
    const plain = await readFile(path('task-1', '03-agent-output.jsonl'));
    while (store.compress(LATER));
    await settled();
    const names = [
      '01-input.json',
      '02-webhook-flow.jsonl',
      '03-agent-output.jsonl.gz',
      '04-final-result.json',
      'metadata.json',
    ];
    assert.deepEqual((await readdir(path('task-1'))).sort(), names);
    const compressed = await readFile(path('task-1', '03-agent-output.jsonl.gz'));
    assert.ok(gunzipSync(compressed).equals(plain));
    assert.ok(compressed.length < plain.length * 0.15, `${compressed.length} of ${plain.length} bytes`);
    await append('task-1', 'late');
    await settled();
    while (store.compress(LATER));
    await start();
    await settled();
    assert.deepEqual((await readdir(path('task-1'))).sort(), names);
    const late = gunzipSync(await readFile(path('task-1', '03-agent-output.jsonl.gz'))).subarray(plain.length);
    assert.equal(JSON.parse(late.toString()).content, 'late');
  });

  test('gets its output back from the store when the compressed one is damaged', async (t) => {
    const { intake, store, append, start, stop, settled, contents, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one', 'two');
    await intake.changeTask('task-1', { status: 'completed' });
    while (store.compress(LATER));
    await settled();
    await stop();
    await writeFile(path('task-1', '03-agent-output.jsonl.gz'), 'cut');
    const projector = await start();
    await settled();
    assert.deepEqual(await contents('task-1').catch(() => []), []);
    const lines = gunzipSync(await readFile(path('task-1', '03-agent-output.jsonl.gz')))
      .toString()
      .trimEnd()
      .split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).content),
      ['one', 'two'],
    );
    assert.equal(projector.failures, 0);
  });
});

/** Descriptors of this process for files below a directory. */
async function openBelow(dir: string): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith(dir)).length;
}
