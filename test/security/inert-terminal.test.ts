import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { openTrail } from '../../src/trail/open.ts';
import { type Place, place, tasktrail } from '../cli/cli.ts';
import { HOSTILE, UNSAFE } from '../support/hostile-text.ts';
import { missing } from '../support/programs.ts';
import { TASKTRAIL } from '../support/server.ts';

/** Colours, and nothing else that begins with an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const COLOUR = /\u001b\[[0-9;:]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONCEAL = /\u001b\[(?:[0-9]+;)*8(?:;[0-9]+)*m/;
const TITLE = `${HOSTILE[1]}\u001b]0;osc\u0007\u202ecod\u001b[2Ja${'\u0301'.repeat(300)}`;
const SOURCE = '<b>\u202ecod\u200b\u{e0041}';

const COMMANDS: readonly (readonly string[])[] = [
  ['logs', 'odd'],
  ['logs', 'odd', '--json'],
  ['tasks'],
  ['search', 'after', '--group', '--context', '2'],
  ['stats', 'odd'],
  ['patterns', 'odd'],
  // What is wrong is told with the words that were given.
  ['search', 'level:\u001b[2J\u202e'],
];

/** A place with a task whose every text is hostile. */
async function seeded(t: TestContext): Promise<Place> {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir, taskLevel: 'DEBUG' });
  await trail.create({
    taskId: 'odd',
    title: TITLE,
    kind: TITLE,
    source: TITLE,
    owner: TITLE,
    metadata: { [TITLE]: HOSTILE },
  });
  const metadata = { [TITLE]: HOSTILE };
  await trail.append(
    'odd',
    HOSTILE.map((message, at) => ({ message, source: SOURCE, metadata, level: at % 2 ? 'error' : 'info' })),
  );
  await trail.fail('odd', TITLE);
  await trail.close();
  return at;
}

/** Run a command at a terminal, and read all that the terminal was sent. */
async function atTerminal(t: TestContext, { cwd, env }: Place, words: readonly string[]): Promise<string> {
  const command = [process.execPath, TASKTRAIL, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm-256color', COLUMNS: '120' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await once(child, 'close');
  return printed.replaceAll('\r\n', '\n');
}

function safe(printed: string, about: string): void {
  assert.notEqual(printed, '', about);
  assert.doesNotMatch(printed, CONCEAL, about);
  assert.doesNotMatch(printed.replace(COLOUR, ''), UNSAFE, about);
}

test('at a terminal no command lets stored text command it, hide a part of itself or turn it', {
  skip: missing('script'),
  timeout: 60_000,
}, async (t) => {
  const at = await seeded(t);
  let coloured = 0;
  for (const words of COMMANDS) {
    const printed = await atTerminal(t, at, words);
    safe(printed, words.join(' '));
    coloured += Number(COLOUR.test(printed));
  }
  assert.ok(coloured > 3, 'it was a terminal');
});

test('what goes into a pipe is as safe, bears no colour, and JSON says the same as before', {
  timeout: 60_000,
}, async (t) => {
  const at = await seeded(t);
  // The others print by the same functions.
  for (const words of [...COMMANDS.slice(0, 3), ['search', 'after', '--json'], ['logs', TITLE]]) {
    const { stdout, stderr } = await tasktrail(t, at, ...words);
    safe(stdout + stderr, words.join(' '));
    assert.ok(!stdout.includes('\u001b'), words.join(' '));
  }
  const { stdout } = await tasktrail(t, at, 'logs', 'odd', '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ message }) => message),
    HOSTILE,
  );
  assert.ok(lines.every(({ source, metadata }) => source === SOURCE && Object.keys(metadata)[0] === TITLE));
});

test('what a command under run printed is stored as it was and shown safely; it itself passes through untouched', async (t) => {
  const at = await place(t);
  const program = `process.stdout.write(${JSON.stringify(`\u001b]0;own\u0007\u001b[2Jown \u202etext\n`)})`;
  const ran = await tasktrail(
    t,
    at,
    'run',
    '--task',
    'ran',
    '--title',
    TITLE.slice(0, 80).replaceAll('\u0000', ''),
    '--',
    process.execPath,
    '-e',
    program,
  );
  assert.equal(ran.code, 0);
  // The terminal belongs to the command, as it would without us.
  assert.equal(ran.stdout, '\u001b]0;own\u0007\u001b[2Jown \u202etext\n');
  safe(ran.stderr, 'what run says itself');
  const shown = await tasktrail(t, at, 'logs', 'ran');
  safe(shown.stdout, 'its lines');
  assert.match(shown.stdout, /own /);
});
