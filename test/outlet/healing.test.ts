import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DirectorySource } from '../../src/outlet/directory/projection.ts';
import { DirectoryProjector } from '../../src/outlet/directory/projector.ts';
import { scratch } from '../support/scratch.ts';
import { projected } from './support.ts';

const OUTPUT = '03-agent-output.jsonl';

describe('after a start, a directory is what the store says', () => {
  test('whatever was torn at its end: at every byte of the last line', async (t) => {
    const { intake, append, start, stop, settled, text, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one', 'two', 'thrée');
    await settled();
    const whole = await text('task-1', OUTPUT);
    const bytes = Buffer.from(whole);
    const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    for (let sizeBytes = lastLine; sizeBytes < bytes.length; sizeBytes++) {
      await stop();
      await truncate(path('task-1', OUTPUT), sizeBytes);
      await start();
      await settled();
      assert.equal(await text('task-1', OUTPUT), whole, `cut at ${sizeBytes}`);
    }
  });

  test('whatever was added at its end: half a line, a foreign line, NULs', async (t) => {
    const { intake, append, start, stop, settled, text, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await settled();
    const whole = await text('task-1', OUTPUT);
    for (const more of ['{"timestamp":"20', '{"content":"not from here"}\n', '\0'.repeat(4096)]) {
      await stop();
      await appendFile(path('task-1', OUTPUT), more);
      await start();
      await settled();
      assert.equal(await text('task-1', OUTPUT), whole);
    }
    await stop();
    await appendFile(path('task-1', OUTPUT), 'torn');
    await append('task-1', 'two');
    await start();
    await settled();
    assert.ok((await text('task-1', OUTPUT)).startsWith(whole));
    assert.equal((await text('task-1', OUTPUT)).split('\n').length, 3);
  });

  test('when files, or all of it, were taken away', async (t) => {
    const { intake, append, start, stop, settled, text, dir, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1', input: { message: 'x' } });
    await append('task-1', 'one', { message: 'received', type: 'webhook' }, { message: 'yes', type: 'user_input' });
    await intake.changeTask('task-1', { status: 'completed' });
    await settled();
    const names = await readdir(path('task-1'));
    assert.equal(names.length, 6);
    const before = await Promise.all(names.map((name) => text('task-1', name)));
    for (const gone of [...names.map((name) => path('task-1', name)), path('task-1'), dir]) {
      await stop();
      await rm(gone, { recursive: true });
      await start();
      await settled();
      assert.deepEqual(await Promise.all(names.map((name) => text('task-1', name))), before, gone);
    }
  });

  test('when other things stand in the place of its files, which are not followed', async (t) => {
    const { intake, append, start, stop, settled, contents, json, path, dir } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await settled();
    await stop();
    const outside = join(await scratch(t), 'secret');
    await writeFile(outside, 'untouched');
    for (const name of [OUTPUT, 'metadata.json']) {
      await rm(path('task-1', name));
      await symlink(outside, path('task-1', name));
    }
    await start();
    await settled();
    assert.deepEqual(await contents('task-1'), ['one']);
    assert.equal((await json('task-1', 'metadata.json')).task_id, 'task-1');
    assert.equal(await readFile(outside, 'utf8'), 'untouched');
    assert.deepEqual(await readdir(dir), ['task-1']);
  });

  test('and leftovers of a crash are swept, while what others put there stays', async (t) => {
    const { intake, start, stop, settled, path } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await settled();
    await stop();
    for (const name of ['.metadata.json.1.tmp', `.metadata.json.${process.pid}-7-abc.tmp`, 'notes.txt']) {
      await writeFile(path('task-1', name), '{"half');
    }
    await start();
    await settled();
    assert.deepEqual((await readdir(path('task-1'))).sort(), ['metadata.json', 'notes.txt']);
  });

  test('with all that happened while nobody wrote', async (t) => {
    const { intake, append, start, stop, settled, contents, json, dir } = await projected(t);
    for (const taskId of ['old', 'deleted', 'grown']) {
      await intake.createTask({ taskId });
      await append(taskId, 'before');
    }
    await settled();
    await stop();
    await append('grown', 'meanwhile');
    await intake.changeTask('grown', { status: 'failed', error: 'server stopped' });
    await intake.deleteTask('deleted', 'test');
    await intake.createTask({ taskId: 'new' });
    await append('new', 'one');
    await start();
    await settled();
    assert.deepEqual((await readdir(dir)).sort(), ['grown', 'new', 'old']);
    assert.deepEqual(await contents('grown'), ['before', 'meanwhile']);
    assert.equal((await json('grown', '04-final-result.json')).error, 'server stopped');
    assert.deepEqual(await contents('new'), ['one']);
  });

  test('without its records too: they are made again', async (t) => {
    const { intake, append, start, stop, settled, contents, path, records, store } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await append('task-1', 'one');
    await mkdir(path('task-1'), { recursive: true });
    await writeFile(path('task-1', OUTPUT), '{"content":"of a store that is no more"}\n');
    await writeFile(path('task-1', '04-final-result.json'), '{"success":true}');
    await start();
    await settled();
    assert.deepEqual(await contents('task-1'), ['one']);
    assert.equal(existsSync(path('task-1', '04-final-result.json')), false);
    await stop();
    const state = await records.state('task-1');
    assert.equal(state?.record?.revision, state?.revision);
    assert.equal(state?.record?.seq, 1);
    assert.equal(state?.record?.files[OUTPUT]?.bytes, (await stat(path('task-1', OUTPUT))).size);
    assert.equal((await store.task('task-1')).log.lastSeq, 1);
  });
});

describe('a directory that the store does not know', () => {
  test('stays: it may be all that is left of a task', async (t) => {
    const { dir, settled } = await projected(t);
    await mkdir(join(dir, 'task-lost'), { recursive: true });
    await writeFile(join(dir, 'task-lost', OUTPUT), '{"content":"precious"}\n');
    await settled();
    assert.equal(await readFile(join(dir, 'task-lost', OUTPUT), 'utf8'), '{"content":"precious"}\n');
  });

  test('goes when its task was deleted before it was recorded', async (t) => {
    const { intake, dir, settled } = await projected(t);
    await intake.createTask({ taskId: 'task-1' });
    await intake.deleteTask('task-1', 'test');
    await mkdir(join(dir, 'task-1'), { recursive: true });
    await settled();
    assert.deepEqual(await readdir(dir), []);
  });
});

describe('the comparison', () => {
  test('begins with the newest task, and what is new goes first', async (t) => {
    const { intake, append, dir, records, store } = await projected(t);
    const ids = Array.from({ length: 300 }, (_, n) => `task-${String(n).padStart(3, '0')}`);
    for (const taskId of ids) {
      await intake.createTask({ taskId });
      await append(taskId, 'one');
    }
    const order: string[] = [];
    const reader = watching(store, (taskId) => order.push(taskId));
    const projector = new DirectoryProjector({ dir, store: reader, records });
    projector.start();
    await projector.settled();
    assert.deepEqual(order, ids.toReversed());
    await projector.close();
  });

  test('opens no file and reads no line of what is as recorded', async (t) => {
    const { intake, append, stop, settled, dir, records, store, path } = await projected(t);
    for (let n = 0; n < 50; n++) {
      await intake.createTask({ taskId: `task-${n}` });
      await append(`task-${n}`, 'one');
    }
    await settled();
    await stop();
    const touched: string[] = [];
    const before = await stat(path('task-7', 'metadata.json'));
    await truncate(path('task-9', OUTPUT), 3);
    const projector = new DirectoryProjector({ dir, store: watching(store, (id) => touched.push(id)), records });
    projector.start();
    await projector.settled();
    assert.deepEqual(touched, ['task-9']);
    assert.equal((await stat(path('task-7', 'metadata.json'))).ino, before.ino);
    await projector.close();
  });
});

/** The store, telling whose task is read. */
function watching(store: DirectorySource, told: (taskId: string) => void): DirectorySource {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        if (name === 'task') told(String(args[0]));
        return Reflect.apply(value, target, args);
      };
    },
  });
}
