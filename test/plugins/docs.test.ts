import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from '../cli/cli.ts';
import { missing } from '../support/programs.ts';
import { scratch } from '../support/scratch.ts';
import { withoutOurSettings } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOC = join(ROOT, 'docs', 'plugin_dev.md');
/** Where the page's `curl` commands look for the server. */
const SHOWN_URL = 'http://127.0.0.1:8000';
const run = promisify(execFile);

interface Block {
  readonly language: string;
  readonly text: string;
}

interface Session {
  readonly command: string;
  /** Lines that it prints; `…` alone stands for any number of them. */
  readonly output: readonly string[];
}

const blocks = blocksOf(await readFile(DOC, 'utf8'));
const sessions = blocks.filter(({ language }) => language === 'console').flatMap(({ text }) => sessionsOf(text));
const onServer = sessions.filter(({ command }) => command.includes(SHOWN_URL));
const programs = sessions.filter((session) => !onServer.includes(session));

test('every program of the page prints what the page shows', async (t) => {
  const project = await projectOf(t);
  assert.ok(programs.length >= 10);
  for (const session of programs) {
    await t.test(session.command, () => holds(project, session));
  }
});

test('the types of the programs in TypeScript hold', async (t) => {
  const project = await projectOf(t);
  const files = blocks.filter(({ language }) => language === 'ts').map(fileOf);
  assert.ok(files.length > 0);
  const compilerOptions = {
    ...{ target: 'esnext', module: 'nodenext', lib: ['esnext', 'dom'], types: ['node'], strict: true, noEmit: true },
    ...{ allowImportingTsExtensions: true, customConditions: ['tasktrail-source'], skipLibCheck: true },
    typeRoots: [join(ROOT, 'node_modules', '@types')],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const checked = await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', '.'], { cwd: project }).catch((e) => e);
  assert.equal(checked.stdout, '');
});

test('the server of the page runs the plugins of its config file', { skip: missing('curl') }, async (t) => {
  const project = await projectOf(t);
  const [config] = blocks.filter(({ language }) => language === 'json');
  await writeFile(join(project, 'tasktrail.config.json'), config?.text ?? '');
  const env = { PATH: String(process.env.PATH) };
  const { url } = await serve(t, { cwd: project, dataDir: join(project, 'data'), env });
  assert.ok(onServer.length > 0);
  for (const { command, output } of onServer) {
    await t.test(command, () => holds(project, { command: command.replaceAll(SHOWN_URL, url), output }));
  }
});

test('what the page shows is compared line by line', () => {
  const pattern = patternOf(['a [b]', '…', 'z']);
  for (const same of ['a [b]\nz\n', 'a [b]\nc\nd\nz\n']) assert.match(same, pattern);
  for (const other of ['a [b]\n', 'a b\nz\n', 'a [b]\nz\nmore\n', 'a [b]\nyz\n', ''])
    assert.doesNotMatch(other, pattern);
});

/** A directory with every program of the page, in which `tasktrail` is our source. */
async function projectOf(t: TestContext): Promise<string> {
  const project = await scratch(t);
  await mkdir(join(project, 'node_modules'));
  await symlink(ROOT, join(project, 'node_modules', 'tasktrail'));
  await writeFile(join(project, 'package.json'), '{"private":true,"type":"module"}');
  for (const block of blocks.filter(({ language }) => language === 'js' || language === 'ts')) {
    await writeFile(join(project, fileOf(block)), block.text);
  }
  return project;
}

async function holds(cwd: string, { command, output }: Session): Promise<void> {
  const env = {
    ...withoutOurSettings(),
    NODE_OPTIONS: '--conditions=tasktrail-source',
    NODE_TEST_CONTEXT: undefined,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  };
  const { stdout } = await run('sh', ['-c', command], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  assert.match(stdout, patternOf(output), `${command} printed:\n${stdout.slice(0, 2_000)}`);
}

function patternOf(output: readonly string[]): RegExp {
  const parts = output.map((line) => (line === '…' ? '(?:.*\\n)*?' : `${RegExp.escape(line)}\\n`));
  return new RegExp(`^${parts.join('')}$`);
}

function fileOf({ text }: Block): string {
  const name = /^\/\/ file: ([\w.-]+)\n/.exec(text)?.[1];
  assert.ok(name, `a program begins with "// file: NAME", got ${text.slice(0, 40)}`);
  return name;
}

function blocksOf(markdown: string): Block[] {
  return Array.from(markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm), ([, language = '', text = '']) => ({
    language,
    text,
  }));
}

function sessionsOf(text: string): Session[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...output] = part.trimEnd().split('\n');
      return { command, output };
    });
}
