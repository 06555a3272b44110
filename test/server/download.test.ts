import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { served } from '../support/served.ts';

const LINES = [
  { message: 'plain', level: 'INFO', source: 'git', timestamp: '2026-01-24T10:00:00Z' },
  { message: '=1+1', level: 'ERROR', timestamp: '2026-01-24T10:00:01Z' },
  { message: 'say "hi", you\nthere', stream: 'stderr', timestamp: '2026-01-24T10:00:02Z', metadata: { a: 'b,c' } },
];

test('lines are downloaded as text, JSONL or CSV, as an attachment with a safe name', async (t) => {
  const { call, json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 'a:b.c' });
  await json('POST', '/api/tasks/a:b.c/logs', LINES);
  const get = async (query: string) => call('GET', `/api/tasks/a:b.c/logs/download${query}`);
  const text = await get('');
  assert.equal(text.headers.get('content-disposition'), 'attachment; filename="a_b.c.log"');
  assert.match(text.headers.get('content-type') ?? '', /^text\/plain/);
  assert.equal(
    await text.text(),
    '2026-01-24T10:00:00.000Z INFO [git] plain\n2026-01-24T10:00:01.000Z ERROR [system] =1+1\n' +
      '2026-01-24T10:00:02.000Z INFO [system] say "hi", you\n    there\n',
  );
  const jsonl = await get('?format=jsonl');
  assert.equal(jsonl.headers.get('content-disposition'), 'attachment; filename="a_b.c.jsonl"');
  const entries = (await jsonl.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    entries.map((entry) => [entry.seq, entry.message]),
    LINES.map((line, i) => [i + 1, line.message]),
  );
  const csv = await get('?format=csv');
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
  assert.equal(
    await csv.text(),
    'timestamp,level,source,stream,type,seq,message,metadata\r\n' +
      '2026-01-24T10:00:00.000Z,INFO,git,,log,1,plain,\r\n' +
      `2026-01-24T10:00:01.000Z,ERROR,system,,log,2,"'=1+1",\r\n` +
      '2026-01-24T10:00:02.000Z,INFO,system,stderr,log,3,"say ""hi"", you\nthere","{""a"":""b,c""}"\r\n',
  );
});

test('a text is downloaded without colours, and any file compressed', async (t) => {
  const { call, json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 't' });
  await json('POST', '/api/tasks/t/logs', [
    {
      message: '\u001b[31mred\u001b[0m \u001b]8;;https://a.test\u0007link\u001b]8;;\u0007',
      timestamp: '2026-01-24T10:00:00Z',
    },
  ]);
  const get = async (query: string) => call('GET', `/api/tasks/t/logs/download${query}`);
  const plain = '2026-01-24T10:00:00.000Z INFO [system] red link\n';
  assert.equal(await (await get('?ansi=strip')).text(), plain);
  assert.ok((await (await get('')).text()).includes('\u001b[31mred'));
  const file = await get('?ansi=strip&gzip=true');
  assert.equal(file.headers.get('content-disposition'), 'attachment; filename="t.log.gz"');
  assert.equal(file.headers.get('content-encoding'), null);
  assert.equal(gunzipSync(await file.arrayBuffer()).toString(), plain);
});

test('a spreadsheet takes no cell for a formula', async (t) => {
  const { call, json, taskWith } = await served(t);
  await taskWith('t', 0);
  for (const start of ['=', '+', '-', '@', '\t', '\r']) {
    await json('POST', '/api/tasks/t/logs', { message: `${start}cmd|' /C calc'!A0`, source: 's' });
  }
  const text = await (await call('GET', '/api/tasks/t/logs/download?format=csv')).text();
  const cells = text
    .split('\r\n')
    .slice(1, -1)
    .map((row) => row.split(',')[6]);
  assert.equal(cells.length, 6);
  assert.ok(
    cells.every((cell) => cell?.startsWith(`"'`)),
    text,
  );
});

test('a download obeys the filters and refuses what it does not know', async (t) => {
  const { call, json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 't' });
  await json('POST', '/api/tasks/t/logs', LINES);
  const text = await (await call('GET', '/tasks/t/logs/download?level=error')).text();
  assert.equal(text, '2026-01-24T10:00:01.000Z ERROR [system] =1+1\n');
  assert.equal((await json('GET', '/tasks/t/logs/download?format=pdf')).body.errors[0].path, 'format');
  assert.equal((await json('GET', '/tasks/t/logs/download?limit=5')).body.code, 'unknown_parameter');
});
