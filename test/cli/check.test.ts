import assert from 'node:assert/strict';
import { appendFile, mkdir, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { openTrail } from '../../src/trail/open.ts';
import { type Place, place, serve, tasktrail } from './cli.ts';

const OUTPUT = '03-agent-output.jsonl';

/** A data directory with ended tasks and their directories, and no server. */
async function stopped(
  t: TestContext,
  ...taskIds: readonly string[]
): Promise<Place & { path: (...parts: string[]) => string }> {
  const at = await place(t);
  const { child, ended } = await serve(t, at);
  const trail = await openTrail({ dataDir: at.dataDir });
  for (const taskId of taskIds) {
    await trail.create({ taskId, input: { message: 'do it' } });
    await trail.append(taskId, [{ message: 'one' }, { message: 'two' }, { message: 'three' }]);
    await trail.complete(taskId);
  }
  await trail.close();
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  return { ...at, path: (...parts) => join(at.dataDir, 'tasks', ...parts) };
}

test('check finds nothing wrong with what a server left, and says so', async (t) => {
  const at = await stopped(t, 'a', 'b');
  const { code, stdout } = await tasktrail(t, at, 'check');
  assert.equal(stdout, '2 tasks checked: 0 faults\n');
  assert.equal(code, 0);
});

test('check names file, line and fault of everything that is wrong, and --repair mends it', async (t) => {
  const at = await stopped(t, 'bad', 'cut', 'flipped', 'foreign', 'gone', 'left', 'odd');
  const { path } = at;
  const whole = await readFile(path('bad', OUTPUT), 'utf8');
  await writeFile(path('bad', OUTPUT), whole.replace(/\n.*\n/, '\n{"timestamp":"2024\n'));
  await truncate(path('cut', OUTPUT), (await stat(path('cut', OUTPUT))).size - 5);
  await writeFile(path('flipped', OUTPUT), (await readFile(path('flipped', OUTPUT), 'utf8')).replace('two', 'twO'));
  await appendFile(path('foreign', OUTPUT), '{"content":"from elsewhere"}\n');
  await rm(path('gone'), { recursive: true });
  await writeFile(path('left', '.metadata.json.1.tmp'), '{');
  await rm(path('odd', '01-input.json'));
  await writeFile(path('odd', 'metadata.json'), '{"task_id":"odd"}');
  const found = await tasktrail(t, at, 'check');
  assert.deepEqual(found.stdout.split('\n').slice(0, -2).sort(), [
    'bad/03-agent-output.jsonl: line with seq 2 is missing',
    'bad/03-agent-output.jsonl:2: not a JSON object',
    'cut/03-agent-output.jsonl: line with seq 3 is missing',
    'cut/03-agent-output.jsonl:3: torn',
    'flipped/03-agent-output.jsonl:2: not what the store holds',
    'foreign/03-agent-output.jsonl:4: after the last line that the store holds',
    'gone: missing',
    'left/.metadata.json.1.tmp: left over by a crash',
    'odd/01-input.json: missing',
    'odd/metadata.json: not what the store holds',
  ]);
  assert.equal(found.code, 1);
  const mended = await tasktrail(t, at, 'check', '--repair');
  assert.match(mended.stdout, /7 tasks checked: 10 faults, 10 of them mended\n$/);
  assert.equal(mended.code, 0);
  assert.equal((await tasktrail(t, at, 'check')).stdout, '7 tasks checked: 0 faults\n');
  assert.equal(await readFile(path('bad', OUTPUT), 'utf8'), whole);
});

test('check finds a torn line wherever it was cut, and one flipped bit wherever it was flipped', async (t) => {
  const at = await stopped(t, 'task-1');
  const file = at.path('task-1', OUTPUT);
  const whole = await readFile(file);
  for (const part of [0.1, 0.5, 0.9]) {
    const bytes = Buffer.from(whole);
    const at1 = Math.floor(bytes.length * part);
    bytes[at1] = (bytes[at1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    assert.equal((await tasktrail(t, at, 'check')).code, 1, `bit of byte ${at1}`);
  }
  await writeFile(file, Buffer.concat([whole, Buffer.alloc(4096)]));
  assert.match((await tasktrail(t, at, 'check')).stdout, /jsonl:4: torn/);
});

test('check tells a directory that the store does not know, and leaves it alone', async (t) => {
  const at = await stopped(t, 'a');
  await mkdir(at.path('task-lost'));
  await writeFile(at.path('task-lost', OUTPUT), '{"content":"precious"}\n');
  const { code, stdout } = await tasktrail(t, at, 'check', '--repair');
  assert.match(stdout, /task-lost: not known to the store; .* import reads it back/);
  assert.equal(code, 1);
  assert.equal(await readFile(at.path('task-lost', OUTPUT), 'utf8'), '{"content":"precious"}\n');
});

test('check --json is one object for programs', async (t) => {
  const at = await stopped(t, 'a');
  await rm(at.path('a', '04-final-result.json'));
  const { code, stdout } = await tasktrail(t, at, 'check', '--json');
  assert.deepEqual(JSON.parse(stdout), {
    ok: false,
    tasks: 1,
    faults: 1,
    repaired: 0,
    remaining: 1,
    found: [{ where: 'a', file: '04-final-result.json', line: null, fault: 'missing' }],
  });
  assert.equal(code, 1);
});

test('check works beside a server, which alone may mend', async (t) => {
  const at = await stopped(t, 'a');
  await serve(t, at);
  const { code, stdout } = await tasktrail(t, at, 'check');
  assert.equal(stdout, '1 tasks checked: 0 faults\n');
  assert.equal(code, 0);
  const refused = await tasktrail(t, at, 'check', '--repair');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /owns the data directory/);
});

test('check finds a damaged database', async (t) => {
  const at = await stopped(t, 'a');
  const file = await open(join(at.dataDir, 'tasktrail.db'), 'r+');
  const { size } = await file.stat();
  for (let page = 2; page < size / 4096; page += 3) await file.write(Buffer.alloc(200, 0xff), 0, 200, page * 4096);
  await file.close();
  const { code, stdout } = await tasktrail(t, at, 'check');
  assert.equal(code, 1);
  assert.match(stdout, /tasktrail\.db: /);
});

test('check says what is missing when there is nothing to check', async (t) => {
  const { code, stderr } = await tasktrail(t, await place(t), 'check');
  assert.equal(code, 1);
  assert.match(stderr, /nothing is stored/);
});

test('check and import have help with examples', async (t) => {
  const at = await place(t);
  for (const command of ['check', 'import']) {
    const { code, stdout } = await tasktrail(t, at, command, '--help');
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Examples:\\n {2}\\$ tasktrail ${command}`));
  }
});

test('check --reindex makes the index of the search anew', async (t) => {
  const at = await stopped(t, 'a', 'b');
  const db = new DatabaseSync(join(at.dataDir, DATABASE_FILE));
  t.after(() => db.close());
  const filters = () => db.prepare('SELECT * FROM block_filters ORDER BY filter_no').all();
  const made = filters();
  assert.equal(made.length, 2);
  db.exec("UPDATE block_filters SET data = x'00'");
  const { code, stdout, stderr } = await tasktrail(t, at, 'check', '--reindex');
  assert.equal(stdout, '2 tasks checked: 0 faults\n');
  assert.match(stderr, /2 of 2 blocks indexed/);
  assert.equal(code, 0);
  assert.deepEqual(filters(), made);
});
