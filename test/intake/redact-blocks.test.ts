import assert from 'node:assert/strict';
import test from 'node:test';
import { Blocks } from '../../src/intake/redact/blocks.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { letters, privateKey } from '../support/secrets.ts';
import { door } from './door.ts';

const KEY = '[redacted:private-key]';
const VALUE = '[redacted:registered]';
const { text, body } = privateKey('blocks');
const lines = text.split('\n');
const at = { taskId: 'task-1', source: 'system', stream: null };

test('a private key that comes line by line is masked line by line, in batches of any size', async () => {
  for (const size of [1, 2, 3, 100]) {
    const { intake, stored } = await door();
    const all = ['before', ...lines, 'after', 'abcdefgh'].map((message) => ({ message }));
    for (let from = 0; from < all.length; from += size) {
      await intake.append({ taskId: 'task-1', body: JSON.stringify(all.slice(from, from + size)), format: 'json' });
    }
    const kept = (await stored()).map(({ message }) => message);
    assert.deepEqual(kept, ['before', ...lines.map(() => KEY), 'after', 'abcdefgh']);
    await intake.close();
  }
});

test('each task, source and stream has its own key; other lines among them stay', () => {
  const blocks = new Blocks(createRedactor());
  const places = [at, { ...at, taskId: 'task-2' }, { ...at, source: 'plugin' }, { ...at, stream: 'stderr' }];
  for (const line of lines) {
    for (const place of places) assert.equal(blocks.mask(line, place), KEY);
    assert.equal(blocks.mask('Build', { ...at, taskId: 'other' }), 'Build');
  }
  assert.equal(blocks.mask(lines[0] ?? '', at), KEY);
  assert.equal(blocks.mask('12 of 20 tests done', at), '12 of 20 tests done');
  assert.equal(blocks.mask(body[0] ?? '', at), KEY);
});

test('a time before each line, blanks, colours, headers and an encrypted key change nothing', () => {
  const blocks = new Blocks(createRedactor());
  const told = ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,00112233', '', ...body];
  const key = ['-----BEGIN EC PRIVATE KEY-----', ...told, '-----END EC PRIVATE KEY-----'];
  for (const [prefix, end] of [
    ['2026-01-24 10:00:00 INFO ', ''],
    ['  ', ''],
    ['\u001b[31m', '\u001b[0m'],
    ['key> ', '  '],
  ] as const) {
    for (const line of key) {
      const masked = blocks.mask(`${prefix}${line}${end}`, at);
      for (const part of told) if (part !== '') assert.ok(!masked.includes(part.slice(0, 20)), masked);
      assert.equal(masked.includes(KEY), line !== '');
    }
    assert.equal(blocks.mask('done', at), 'done');
  }
});

test('a key that never ends hides no more than what looks like one, and not for long', () => {
  const blocks = new Blocks(createRedactor());
  blocks.mask(lines[0] ?? '', at);
  for (const line of ['npm warn deprecated', 'added 120 packages', 'found 0 vulnerabilities', 'done', 'ok']) {
    assert.equal(blocks.mask(line, at), line);
  }
  blocks.mask(lines[0] ?? '', at);
  const masked = Array.from({ length: 1_000 }, () => blocks.mask('wordbyword', at));
  assert.ok(masked.filter((line) => line === KEY).length < 500);
  assert.equal(masked.at(-1), 'wordbyword');
  // Where a key is only spoken of, none begins.
  assert.equal(blocks.mask('expected "-----BEGIN PRIVATE KEY-----" first', at), `expected "${KEY}" first`);
  assert.equal(blocks.mask('abcdefghijklmnopqrst', at), 'abcdefghijklmnopqrst');
});

test('lines that were refused come again, and are masked again', async () => {
  const { intake, stored } = await door();
  const send = (messages: readonly unknown[]) =>
    intake.append({ taskId: 'task-1', body: JSON.stringify(messages.map((message) => ({ message }))), format: 'json' });
  await send(lines.slice(0, 2));
  await assert.rejects(send([...lines.slice(2), 'end', 7]), { code: 'invalid_lines' });
  await send([...lines.slice(2), 'end']);
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    [...lines.map(() => KEY), 'end'],
  );
});

test('short lines of a registered value are hidden behind the line before them, and nowhere else', () => {
  const [first, last] = [letters('a', 20), letters('b', 20)];
  const blocks = new Blocks(createRedactor([`${first}\nab==\ncd\n${last}`]));
  const seen = [first, 'ab==', 'cd', last, 'cd', 'ab==', first, 'cd', 'ab=='].map((line) => blocks.mask(line, at));
  assert.deepEqual(seen, [VALUE, VALUE, VALUE, VALUE, 'cd', 'ab==', VALUE, 'cd', 'ab==']);
  assert.equal(blocks.mask(first, at), VALUE);
  assert.equal(blocks.mask('ab==', { ...at, taskId: 'task-2' }), 'ab==');
});

test('what goes with a line of a key, and repeats it, is masked too', async () => {
  const { send, stored } = await door();
  await send(
    lines
      .slice(0, -1)
      .map((message) => ({ message, metadata: { raw: `x ${message}`, list: [message], other: 'stays' } })),
  );
  for (const { metadata } of await stored()) {
    assert.deepEqual(metadata, { raw: `x ${KEY}`, list: [KEY], other: 'stays' });
  }
});

test('nothing is shown of an unended line within a key', () => {
  const blocks = new Blocks(createRedactor());
  assert.equal(blocks.maskUnended('MIIE', at), 'MIIE');
  blocks.mask(lines[0] ?? '', at);
  assert.equal(blocks.maskUnended('MIIE', at), '');
  assert.equal(blocks.maskUnended('MIIE', { ...at, stream: 'stderr' }), 'MIIE');
});
