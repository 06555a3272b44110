import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTaskId } from '../../src/core/id.ts';
import { TEMPLATE_CHARS } from '../../src/core/limits.ts';
import { template } from '../../src/core/template.ts';
import { isoTime } from '../../src/core/time.ts';

const BASE64 = 'TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24sIGJ1dCBieSB0aGlz';

/** Lines as programs write them, with their templates. */
const LINES: readonly (readonly [message: string, template: string])[] = [
  // Words stay as they are, with their case.
  ['Connection refused', 'Connection refused'],
  ['', ''],
  ['  two   spaces\tand a tab ', 'two spaces and a tab'],
  ['He said "no" and left (really)', 'He said "no" and left (really)'],
  // Numbers keep their unit, and what they are part of.
  ['done in 12.5ms, 3.4MB of 1,234,567 bytes (45%)', 'done in <n>ms, <n>MB of <n> bytes (<n>%)'],
  ['took=-5ms delta=+3 rate 1.2e-5', 'took=<n>ms delta=<n> rate <n>'],
  ['attempt 3/10, utf8 on worker-3', 'attempt <n>/<n>, utf<n> on worker-<n>'],
  ['retry "job 7" twice', 'retry "job <n>" twice'],
  ['retrying in 1h23m45s', 'retrying in <duration>'],
  ['12MB/s and/or 10/200', '<n>MB/s and/or <n>/<n>'],
  // Versions are numbers.
  ['glob@7.2.3: versions prior to v9 are old', 'glob@<n>: versions prior to v<n> are old'],
  ['v1.2.3-beta.1', 'v<n>-beta.<n>'],
  // Ids.
  ['commit 9bb8dae on deadbeef01', 'commit <id> on <id>'],
  ['decade and facade are words, effaced too', 'decade and facade are words, effaced too'],
  ['550e8400-e29b-41d4-a716-446655440000 is one', '<id> is one'],
  ['task task-01J9ZQ4X7Y8K2M3N4P5R6S7T8V ended', 'task task-<id> ended'],
  ['id msg_01XFDUDYJgAACzvnptvVoYEL', 'id msg_<id>'],
  ['sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'sha<n>:<id>'],
  ['at 0x7ffd5 in ab12cd34ef', 'at <id> in <id>'],
  ['00:1a:2b:3c:4d:5e is up', '<id> is up'],
  ['pod web-7d4b9c6f5d evicted', 'pod web-<id> evicted'],
  [`token ${BASE64}== end`, 'token <blob> end'],
  // Addresses.
  ['from 10.1.2.3:55123 to 10.0.0.5 port 22', 'from <ip> to <ip> port <n>'],
  ['[::1]:8080, fe80::1%eth0 and 2001:db8::ff00:42:8329', '[<ip>]:<n>, <ip> and <ip>'],
  ['GET http://127.0.0.1:8000/docs?x=1#top, then (https://a.b/c).', 'GET <url>, then (<url>).'],
  ['std::io::Error', 'std::io::Error'],
  // Paths.
  ["ENOENT, open '/tmp/x/y.json'", "ENOENT, open '<path>'"],
  ['at main (/home/u/app/index.ts:10:5)', 'at main (<path>)'],
  ['src/core/error.ts:12:5 - error TS2345: no', '<path> - error TS<n>: no'],
  ['src/a.ts ./b ../c/d ~/e node_modules/f', '<path> <path> <path> <path> node_modules/f'],
  ['C:\\Program Files\\node\\node.exe failed', '<path> failed'],
  ['\\\\server\\share\\x.txt is gone', '<path> is gone'],
  ['cloned git@github.com:owner/repo.git', 'cloned git@github.com:<path>'],
  ['GET /api/tasks/7?limit=10&x=a,b HTTP/1.1', 'GET <path> HTTP/<n>'],
  ['</div> and text/html stay, w/o a change', '</div> and text/html stay, w/o a change'],
  // Moments.
  ['2026-01-24T10:11:12.345Z INFO up', '<time> INFO up'],
  ['2026-01-24 10:11:12,345 [main] up', '<time> [main] up'],
  ['2026/01/24 10:11:12+01:00 up since 2026-01-23', '<time> up since <time>'],
  ['[10:11:12] step', '[<time>] step'],
  ['- [24/Jan/2026:10:11:12 +0000] "GET"', '- [<time>] "GET"'],
  ['Jan 24 10:11:12 host sshd[123]: ok', '<time> host sshd[<n>]: ok'],
  ['Sat, 24 Jan 2026 10:11:12 GMT', '<time>'],
  ['Sat Nov 21 13:48:31 UTC 2026', '<time>'],
  ['May I? Monday it is.', 'May I? Monday it is.'],
  // What is drawn.
  ['\u001b[1;31mfailed\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007', 'failed link'],
  ['[=====>      ] 25% eta 00:01:23', '[<bar>] <n>% eta <time>'],
  [' 45%|████▌     | 45/100', '<n>%|<bar>| <n>/<n>'],
  ['========= test session starts =========', '=== test session starts ==='],
  ['Loading...', 'Loading...'],
  // JSON: keys stay, and what says of which kind the line is.
  [
    '{"level":"info","ts":1706091072.1,"msg":"request 12 done","user":{"id":7,"tags":["a","b"],"none":null}}',
    '{"level":"info","ts":<value>,"msg":"request <n> done","user":{"id":<value>,"tags":<value>,"none":<value>}}',
  ],
  ['event { "type": "assistant", "text": "a \\"b\\" c" } end 5', 'event {"type":"assistant","text":<value>} end <n>'],
  ['{\n  "msg": "open \\"C:\\\\x\\\\y\\" 3"\n}', '{"msg":"open \\"<path>\\" <n>"}'],
  ['{"a":1', '{"a":<value>'],
  ['{not json} 5', '{not json} <n>'],
  // Lines of many lines.
  ['Error: no 5\n    at foo (/a/b.js:1:2)\n    at bar', 'Error: no <n> <lines>'],
  ['\n\nfirst 1\n\n', 'first <n>'],
];

for (const [message, expected] of LINES) {
  test(`${JSON.stringify(message)} has its template`, () => {
    assert.equal(template(message), expected);
    assert.equal(template(expected), expected);
  });
}

test('every example of docs/patterns.md has the pattern that is told there', async () => {
  const page = await readFile(new URL('../../docs/patterns.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| [^|]+ \| `(.+)` \| `(.+)` \|$/gm)];
  assert.ok(rows.length > 10);
  for (const [, message = '', pattern = ''] of rows) assert.equal(template(message), pattern);
});

test('a long template is cut, and ends in whole characters', () => {
  const cut = template('word '.repeat(200));
  assert.equal(cut.length, TEMPLATE_CHARS);
  assert.ok(cut.endsWith('…'));
  assert.ok(template(`${'x'.repeat(TEMPLATE_CHARS - 2)}😀😀`).isWellFormed());
  const json = template(
    JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${'x'.repeat(i)}`, i]))),
  );
  assert.match(json, /^\{"key":<value>,.* …$/);
  assert.ok(json.length <= TEMPLATE_CHARS);
  for (const made of [cut, json]) assert.equal(template(made), made);
});

test('a message of a megabyte is not looked at to its end', () => {
  const words = template('a b '.repeat(250_000));
  const blob = template(`{"data":"${'x'.repeat(1_000_000)}","type":"end"}`);
  assert.equal(words.length, TEMPLATE_CHARS);
  assert.equal(blob, '{"data":<value>');
});

const PIECES = [
  ...[
    'a',
    'ab',
    'foo',
    'Error',
    '1',
    '12',
    '1234',
    '2026-01-24',
    '10:11:12',
    'T',
    'Z',
    ' ',
    '  ',
    '/',
    '//',
    '\\',
    '.',
    '...',
  ],
  ...[
    '-',
    '----',
    ':',
    '::',
    '://',
    'http://',
    '@',
    '_',
    '~',
    '?',
    '&',
    '=',
    '====',
    '<',
    '>',
    '<n>',
    '<path>',
    '<lines>',
  ],
  ...[
    '"',
    '\\"',
    "'",
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '{"',
    '":',
    '{"a":',
    ',',
    '"msg":',
    '"x"',
    '|',
    '####',
    '+',
    'e5',
    '0x1f',
  ],
  ...[
    'deadbeef',
    'deadbee1',
    'C:',
    'C:\\',
    '.ts',
    'Jan',
    'Sat,',
    'GMT',
    'é',
    '────',
    '…',
    '\n',
    '\t',
    '\u001b[31m',
    '😀',
  ],
  ...['01J9ZQ4X7Y8K2M3N4P5R6S7T8V', BASE64, '127.0.0.1', 'fe80::1', '1m30s', 'ms', '[====>', '   ]', 'true', ';', '%'],
];
const noise = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''));

test('a template is its own template, bounded, and has no digits', () => {
  fc.assert(
    fc.property(noise, (message) => {
      const made = template(message);
      assert.equal(template(made), made);
      assert.ok(made.length <= TEMPLATE_CHARS);
      // A lone surrogate in JSON is written as an escape with digits.
      assert.doesNotMatch(made.replace(/\\ud[0-9a-f]{3}/g, ''), /\d/);
    }),
    { numRuns: 2_000 },
  );
});

const word = fc.constantFrom(
  'read',
  'failed',
  'from',
  'Job',
  'after',
  'user:',
  'at',
  '(ok)',
  '"quoted"',
  '-',
  'é',
  'x=y',
);
const hex = (chars: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: chars, maxLength: chars })
    .map((id) => `a1${id}`);
const name = fc.constantFrom('src', 'lib', 'node-modules', 'a.b', 'x1', 'ünï');
/** Values of one kind have one placeholder. */
const VALUES: readonly fc.Arbitrary<string>[] = [
  fc.integer().map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((n) => n.toFixed(3)),
  fc.nat().map((n) => `${n.toLocaleString('en-US')}ms`),
  fc.nat(1_000).map((n) => `[${n}/1000]`),
  fc.uuid(),
  fc.nat().map(() => newTaskId()),
  hex(5),
  hex(38),
  fc.ipV4(),
  fc.nat(65_535).map((port) => `10.0.0.${port % 256}:${port}`),
  fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join('/')}`),
  fc
    .tuple(fc.array(name, { minLength: 1, maxLength: 4 }), fc.nat())
    .map(([names, n]) => `${names.join('/')}/f.ts:${n}`),
  fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `C:\\${names.join('\\')}`),
  fc.webUrl().map((url) => `${url.replaceAll("'", '')}z`),
  fc.integer({ min: 0, max: 4e12 }).map(isoTime),
  fc.integer({ min: 0, max: 4e12 }).map((ms) => isoTime(ms).replace('T', ' ').replace('Z', '')),
  fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toUTCString()),
  fc.nat(59).map((n) => `${n}h${n}m`),
];

test('lines that differ only in their values have one template', () => {
  const twoLines = fc.array(
    fc.oneof(
      word.map((text) => [text, text]),
      ...VALUES.map((value) => fc.tuple(value, value)),
    ),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(twoLines, (parts) => {
      const [a, b] = [0, 1].map((side) => parts.map((part) => part[side]).join(' '));
      assert.equal(template(a ?? ''), template(b ?? ''));
    }),
    { numRuns: 1_000 },
  );
});

test('JSON lines that differ only in their values have one template', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(value, value, fc.jsonValue(), fc.jsonValue(), (a, b, x, y) => {
      const line = (first: unknown, second: unknown) =>
        JSON.stringify({ type: 'made', first, inner: { list: [second] } });
      assert.equal(template(line(a, x)), template(line(b, y)));
      assert.equal(template(line(a, x)), '{"type":"made","first":<value>,"inner":{"list":<value>}}');
    }),
  );
});
