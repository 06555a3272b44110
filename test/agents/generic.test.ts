import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { generic } from '../../src/agents/generic/generic.ts';
import { progressOf } from '../../src/agents/generic/progress.ts';
import { parseCommand } from '../../src/agents/generic/workflow.ts';
import { agentOf } from '../../src/agents/index.ts';
import { TrailError } from '../../src/core/error.ts';
import { printed, run, seen } from './support.ts';

test('an agent is found by its id; any other id is refused by name, with what there is', () => {
  assert.equal(agentOf('claude').name, 'Claude Code CLI');
  assert.equal(agentOf('generic').id, 'generic');
  assert.throws(
    () => agentOf('gpt'),
    (error) =>
      error instanceof TrailError &&
      error.code === 'unknown_agent' &&
      /claude or generic, got "gpt"/.test(error.message),
  );
  assert.throws(() => agentOf('constructor'), TrailError);
});

test('an ordinary line stays exactly as capture made it', () => {
  const parser = generic.createParser();
  for (const text of ['hello', '', '{"type":"assistant"}', '  indented', 'a::b::c', ':: group::x', '::']) {
    const line = { ...printed(text, 1, 'stderr'), level: 'WARNING', metadata: { redraws: 2 } };
    assert.deepEqual(parser.line(line), { entries: [line] });
  }
});

test('the exit code says how it went', () => {
  const ended = (exit: object) => {
    const { success, error } = run(generic, [], exit).end;
    return [success, error];
  };
  assert.deepEqual(ended({}), [true, null]);
  assert.deepEqual(ended({ exitCode: 3 }), [false, 'exit code 3']);
  assert.deepEqual(ended({ exitCode: 137, signal: 'SIGKILL' }), [false, 'ended by SIGKILL']);
  assert.deepEqual(ended({ exitCode: 0, timedOut: true }), [false, 'ended after its time limit']);
  assert.deepEqual(ended({ exitCode: 127, fault: 'it could not be started: ENOENT' }), [
    false,
    'it could not be started: ENOENT',
  ]);
});

test('displays of progress are known as such', () => {
  const displays: readonly (readonly [string, number])[] = [
    ['42%', 42],
    ['  7.5 %', 7.5],
    ['100%', 100],
    ['3/10', 30],
    ['[3/10] Linking app', 30],
    ['[ 42%] Building C object main.c.o', 42],
    ['Progress: [ 42%]', 42],
    ['Progress: 42%', 42],
    ['Receiving objects:  42% (420/1000)', 42],
    ['remote: Compressing objects: 100% (8/8), done.', 100],
    ['Downloading model.bin... 42%', 42],
    ['Downloading 42%', 42],
    ['Uploading artifact: 99.5% complete', 99.5],
    ['42% done', 42],
    ['80% complete.', 80],
    ['Step 2/8: copy files', 25],
    ['Epoch 3/4', 75],
    ['File 5 of 20', 25],
    ['tests/test_a.py ..F.s   [ 42%]', 42],
    ['tests/test_a.py::test_b PASSED [ 50%]', 50],
    ['[=====>    ]', 50],
    ['[#####.....] installing', 50],
    ['|████      | 40%', 40],
    [' 42%|████▏     | 42/100 [00:10<00:14,  4.00it/s]', 42],
    ['[==========] 100%', 100],
    ['\u001b[32m[=====>    ]\u001b[0m', 50],
  ];
  for (const [text, percent] of displays) assert.equal(progressOf(text), percent, text);
});

test('a sentence with a number in it is no progress', () => {
  const ordinary = [
    'CPU usage is 42%',
    'Coverage: 85.71%',
    'Statements   : 85.71% ( 12/14 )',
    'All files |   92.3 |     81.2 |',
    'saved 20% of space',
    'Saving 20% on your next order',
    'Compressing images saved 42% of space',
    'Building on 30% faster hardware',
    '50% complete rewrite of the parser',
    'Tests passed: 5/5',
    'Tests: 3 of 10 failed',
    '2026/11/21 10:00:00 started',
    'and/or 1/2 cup',
    'see RFC 9457, 3/10 people agree',
    '[==========] Running 10 tests from 3 test suites.',
    '[----------] 3 tests from Foo',
    '[  PASSED  ] 10 tests.',
    '[x] done, [ ] open',
    '[          ]',
    '====================',
    '# Heading',
    'const a = [=>b];',
    'a display like `[====>   ]` or [====>   ] in a text',
    'if (a == b) return c % 3;',
    'echo "100%"',
    'https://example.com/a%20b/3/10',
    '142%',
    '7/0',
    '12/3',
    '1/1',
    `Downloading ${'x'.repeat(400)}: 42%`,
  ];
  for (const text of ordinary) assert.equal(progressOf(text), undefined, text);
});

test('no line of our own code is taken for progress', () => {
  const taken = ['src', 'test/store', 'test/server'].flatMap((folder) =>
    readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && /\.(ts|md|svelte|sql|css)$/.test(file.name))
      .flatMap((file) => readFileSync(`${file.parentPath}/${file.name}`, 'utf8').split('\n'))
      .filter((line) => progressOf(line) !== undefined),
  );
  assert.deepEqual(taken, []);
});

test('a line of progress is kept, and bears how much is done', () => {
  const { entries } = run(generic, ['Receiving objects:  42% (420/1000)']);
  assert.deepEqual(entries, [{ ...printed('Receiving objects:  42% (420/1000)', 1), metadata: { progress: 42 } }]);
});

test('the rest of a long line is neither progress nor command', () => {
  const rest = (message: string) => ({ ...printed(message, 1), metadata: { continued: true } });
  const lines = [rest('42%'), rest('::error::x'), rest('::add-mask::secret-value')];
  assert.deepEqual(run(generic, lines).entries, lines);
});

test('workflow commands: groups, errors with their place, notices and debug lines', () => {
  const { entries } = run(generic, [
    '::group::Install',
    '::endgroup::',
    '::error file=src/a.ts,line=3,endLine=4,col=1,endColumn=9,title=Wrong%3A type::It%0Abroke 100%25',
    '  ::WARNING file=b.ts::careful',
    '::notice::by the way',
    '::debug::detail',
    '##[group]Old',
    '##[error]old form%5D',
    '##[warning file=c.ts;line=7]both',
  ]);
  assert.deepEqual(
    entries.map(({ level, message, metadata }) => [level, message, metadata]),
    [
      ['INFO', 'Install', { command: 'group' }],
      ['INFO', '', { command: 'endgroup' }],
      [
        'ERROR',
        'It\nbroke 100%',
        {
          ...{ command: 'error', file: 'src/a.ts', line: 3, end_line: 4, column: 1, end_column: 9 },
          title: 'Wrong: type',
        },
      ],
      ['WARNING', 'careful', { command: 'warning', file: 'b.ts' }],
      ['INFO', 'by the way', { command: 'notice' }],
      ['DEBUG', 'detail', { command: 'debug' }],
      ['INFO', 'Old', { command: 'group' }],
      ['ERROR', 'old form]', { command: 'error' }],
      ['WARNING', 'both', { command: 'warning', file: 'c.ts', line: 7 }],
    ],
  );
  assert.ok(
    entries.every(({ type, source, stream }) => type === 'output' && source === 'agent' && stream === 'stdout'),
  );
});

test('commands that would change a job, and names that nobody knows, are ordinary lines', () => {
  const lines = [
    '::set-env name=A::b',
    '::set-output name=a::b',
    '::add-path::/x',
    '::echo::on',
    '::toString::x',
    '##[section]x',
  ];
  const { entries } = run(generic, lines);
  assert.deepEqual(
    seen(entries),
    lines.map((line) => ['output', 'INFO', line]),
  );
});

test('a value to be masked is handed on, and its line is never shown', () => {
  const { entries, parsed } = run(generic, [
    'before',
    '::add-mask::hunter2-secret',
    '::add-mask::one%0Atwo',
    '::add-mask::',
    'after',
  ]);
  assert.deepEqual(
    parsed.map(({ secrets }) => secrets),
    [undefined, ['hunter2-secret'], ['one\ntwo', 'one', 'two'], [], undefined],
  );
  assert.deepEqual(
    entries.map(({ message }) => message),
    ['before', 'after'],
  );
});

test('the rest of a masked line that was too long for one is hidden as well, on its stream alone', () => {
  const rest = { continued: true };
  const { entries } = run(generic, [
    printed(`::add-mask::${'s'.repeat(1_000_000)}`, 1),
    { ...printed('sss', 2), metadata: rest },
    { ...printed('of another line', 3, 'stderr'), metadata: rest },
    printed('next', 4),
    { ...printed('and its rest', 5), metadata: rest },
  ]);
  assert.deepEqual(
    entries.map(({ message }) => message),
    ['of another line', 'next', 'and its rest'],
  );
});

test('commands can be stopped, until the very token is printed', () => {
  const { entries } = run(generic, [
    '::stop-commands::t0ken',
    '::error::just text',
    '::add-mask::just-text-too',
    '::other::',
    '::t0ken::',
    '::error::real',
  ]);
  assert.deepEqual(
    entries.map(({ level, message, metadata }) => [level, message, metadata?.command]),
    [
      ['INFO', 't0ken', 'stop-commands'],
      ['INFO', '::error::just text', undefined],
      ['INFO', '::add-mask::just-text-too', undefined],
      ['INFO', '::other::', undefined],
      ['INFO', '', 'resume-commands'],
      ['ERROR', 'real', 'error'],
    ],
  );
});

test('a token that is empty or a command does not stop commands', () => {
  const { entries } = run(generic, ['::stop-commands::', '::stop-commands::error', '::error::real']);
  assert.deepEqual(seen(entries), [
    ['output', 'INFO', '::stop-commands::'],
    ['output', 'INFO', '::stop-commands::error'],
    ['output', 'ERROR', 'real'],
  ]);
});

test('what is escaped as the runner wants it comes back as it was', () => {
  const escapedData = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const escapedProperty = (text: string) => escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const text = fc.string({ unit: fc.constantFrom(...'a%025ADC3:,=\r\n ]', 'é') });
  fc.assert(
    fc.property(text, text, (title, data) => {
      const command = parseCommand(`::error file=a.ts,title=x${escapedProperty(title)}x::${escapedData(data)}`);
      assert.deepEqual([command?.properties.get('title'), command?.data], [`x${title}x`, data]);
    }),
  );
});

test('a line that is made to take long does not', () => {
  const hard = [
    '%'.repeat(300),
    `${'1'.repeat(299)}%`,
    `[${'='.repeat(299)}`,
    `Downloading ${'. '.repeat(140)}`,
    'a/'.repeat(150),
  ];
  const startMs = performance.now();
  for (let round = 0; round < 200; round++) for (const text of hard) progressOf(text);
  progressOf('9%'.repeat(10_000_000));
  const perLineMs = (performance.now() - startMs) / (200 * hard.length);
  assert.ok(perLineMs < 1, `${perLineMs} ms a line`);
});
