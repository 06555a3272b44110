import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailError } from '../core/error.ts';
import { CommandFailed, type Workspace } from '../core/plugin.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { waitForLock } from './file-lock.ts';
import { type ProgramEnd, type ProgramOptions, runProgram } from './program.ts';

export interface RepositoriesOptions {
  /** Where the caches lie. */
  readonly dir: string;
  /** The environment of git: what it needs to find its user's configuration and keys. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export type CloneRun = Pick<ProgramOptions, 'signal' | 'onStart'>;

/** What a remote calls the commit that is wanted. */
interface Remote {
  /** `refs/heads/…`, `refs/tags/…`, or `HEAD` where that is no branch. */
  readonly name: string;
  readonly commit: string;
}

const CACHE = /^[0-9a-f]{40}\.git$/;
const CACHE_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;
const GIT_MS = 10 * 60 * 1000;

/**
 * Clones repositories through a cache of each, a bare one that holds the newest commit of each ref that was asked for:
 *
 *   ls-remote ─▶ fetch what is new into the cache ─▶ fetch from the cache into the clone ─▶ check out
 *   └──────────── one at a time for each repository ────────────┘
 *
 * A clone shares no file with the cache, so what is done in it disturbs nobody. Processes take turns by a lock beside each cache.
 */
export class Repositories {
  readonly #dir: string;
  readonly #locks: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor({ dir, env, clock = systemClock }: RepositoriesOptions) {
    this.#dir = dir;
    this.#locks = `${dir}.locks`;
    this.#env = { ...env, ...GIT_ENV };
    this.#clock = clock;
  }

  /** Make a shallow clone in an empty directory. Throws what went wrong, without credentials. */
  async clone({ repo, ref }: Workspace, into: string, run: CloneRun): Promise<void> {
    const { signal } = run;
    checkRepo(repo);
    checkRef(ref);
    const name = `${createHash('sha256').update(repo).digest('hex').slice(0, 40)}.git`;
    const git = new Git({ env: this.#env, dir: this.#dir, repo, ...run });
    const remote = await this.#inTurn(name, signal, async () => {
      const cache = join(this.#dir, name);
      await initCache(git, cache);
      const found = await findRef(git, cache, ref);
      await this.#fetch(git, cache, found);
      await utimes(cache, this.#clock.now() / 1000, this.#clock.now() / 1000);
      await git.run('make the clone', ['init', '-q', '--template=', '--', into]);
      await git.run('set the remote of the clone', [...at(into), 'remote', 'add', '--', 'origin', shownRepo(repo)]);
      const copied = `+${keptAs(found)}:${clonedAs(found)}`;
      await git.run('copy from the cache', [...at(into), 'fetch', '-q', '--depth=1', '--no-tags', '--', cache, copied]);
      return found;
    });
    const branch = /^refs\/heads\/(.+)/.exec(remote.name)?.[1];
    const how = branch === undefined ? ['--detach'] : ['-B', branch];
    await git.run('check out', [...at(into), 'checkout', '-q', ...how, clonedAs(remote), '--']);
  }

  /** Remove caches that nothing was cloned from for a while. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#dir).catch(() => []);
    for (const name of names.filter((known) => CACHE.test(known))) {
      await this.#inTurn(name, NEVER, async () => {
        const cache = join(this.#dir, name);
        const stat = await lstat(cache).catch(() => undefined);
        const old = stat?.isDirectory() && stat.mtimeMs < this.#clock.now() - CACHE_DAYS * DAY_MS;
        if (old) await rm(cache, { recursive: true, force: true });
      });
    }
  }

  /** Bring the commit into the cache, unless it is there. */
  async #fetch(git: Git, cache: string, remote: Remote): Promise<void> {
    const kept = await git.try([...bare(cache), 'rev-parse', '--verify', '-q', `${keptAs(remote)}^{object}`]);
    if (kept.exitCode === 0 && kept.output[0] === remote.commit) return;
    const fetch = [...bare(cache), 'fetch', '-q', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', git.repo];
    const ref = `+${remote.name}:${keptAs(remote)}`;
    if ((await git.try([...fetch, ref])).exitCode === 0) return;
    // A kill in the middle may leave locks behind that stop every later fetch; it is only a cache.
    await rm(cache, { recursive: true, force: true });
    await initCache(git, cache);
    await git.run(`fetch from ${shownRepo(git.repo)}`, [...fetch, ref]);
  }

  /** Do something with a cache when those who came before are done with it. */
  async #inTurn<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(async () => {
      signal.throwIfAborted();
      await mkdir(this.#locks, { recursive: true, mode: 0o700 });
      const lock = await waitForLock(join(this.#locks, name), signal);
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
    const done = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(name, done);
    void done.then(() => {
      if (this.#turns.get(name) === done) this.#turns.delete(name);
    });
    return unlessAborted(turn, signal);
  }
}

const NEVER = new AbortController().signal;

/** A repository as people are shown it: without user and password. */
export function shownRepo(repo: string): string {
  return repo.replace(/:\/\/[^/]*@/, '://');
}

/** Nobody is asked for a password, large files stay pointers, and no way in but these. */
const GIT_ENV = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_ALLOW_PROTOCOL: 'https:ssh:file',
  LC_ALL: 'C',
};
/** What the user's own configuration must not change. Tidying up in the background would outlive its turn. */
const GIT_CONFIG = [
  'protocol.ext.allow=never',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'submodule.recurse=false',
  'advice.detachedHead=false',
  'gc.autoDetach=false',
  'maintenance.autoDetach=false',
  'filter.lfs.process=',
  'filter.lfs.smudge=',
  'filter.lfs.required=false',
].flatMap((setting) => ['-c', setting]);

interface GitOptions extends CloneRun {
  readonly env: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly repo: string;
}

/** Git, run for one clone. */
class Git {
  readonly repo: string;
  readonly #options: GitOptions;

  constructor(options: GitOptions) {
    this.repo = options.repo;
    this.#options = options;
  }

  /** Throws when it fails: "git could not <what>". */
  async run(what: string, args: readonly string[]): Promise<ProgramEnd> {
    const end = await this.try(args);
    if (end.exitCode === 0) return end;
    const why = end.timedOut ? `it took longer than ${GIT_MS / 60_000} minutes` : this.#shown(end.last);
    throw new CommandFailed(`git could not ${what}: ${why || `exit code ${end.exitCode}`}`, end.exitCode);
  }

  async try(args: readonly string[]): Promise<ProgramEnd> {
    const { env, dir: cwd, signal, onStart } = this.#options;
    const options = { cwd, env, signal, onStart, timeoutMs: GIT_MS };
    const end = await runProgram(['git', ...GIT_CONFIG, ...args], options);
    if (end.fault === undefined) return end;
    const message =
      'git could not be started: the command needs it for its repository; install git, and see that it is on PATH';
    throw new CommandFailed(message, end.exitCode);
  }

  #shown(lines: readonly string[]): string {
    const text = lines.join('\n').replaceAll(this.repo, shownRepo(this.repo));
    return text.replace(/:\/\/[^/\s]*@/g, '://');
  }
}

async function initCache(git: Git, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await git.run('make the cache', ['init', '-q', '--bare', '--template=', '--', cache]);
}

/** What the remote has under this name now. Throws when it cannot be asked, and when there is no such thing. */
async function findRef(git: Git, cache: string, ref: string | undefined): Promise<Remote> {
  const names =
    ref === undefined ? ['HEAD'] : ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  const asked = [...bare(cache), 'ls-remote', '--symref', '--', git.repo, ...names];
  const { output } = await git.run(`reach ${shownRepo(git.repo)}`, asked);
  const rows = output.map((line) => line.split('\t')).filter(([, name]) => names.includes(name ?? ''));
  const commits = rows.filter(([commit]) => /^[0-9a-f]{40,64}$/.test(commit ?? ''));
  for (const name of names) {
    const [commit] = commits.find(([, found]) => found === name) ?? [];
    if (commit !== undefined) return { name: name === 'HEAD' ? (branchOf(rows) ?? name) : name, commit };
  }
  const expected = ref === undefined ? 'a commit' : `a branch or tag ${JSON.stringify(ref)}`;
  throw new CommandFailed(`expected ${expected} in ${shownRepo(git.repo)}, but there is none`, 128);
}

/** The branch that the remote's HEAD stands for: a row that says `ref: refs/heads/main`. */
function branchOf(rows: readonly (readonly string[])[]): string | undefined {
  const [said] = rows.find(([first]) => first?.startsWith('ref: refs/heads/')) ?? [];
  const branch = said?.slice('ref: '.length);
  return branch !== undefined && isSafe(branch) ? branch : undefined;
}

/** In the cache: by a digest, because a branch `a` and one `a/b` that came after it would be in each other's way. */
function keptAs({ name }: Remote): string {
  return `refs/kept/${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

/** In the clone: as after a `git clone`. */
function clonedAs({ name }: Remote): string {
  if (name === 'HEAD') return 'refs/remotes/origin/HEAD';
  return name.replace(/^refs\/heads\//, 'refs/remotes/origin/');
}

function bare(cache: string): readonly string[] {
  return [`--git-dir=${cache}`];
}

function at(dir: string): readonly string[] {
  return [`--git-dir=${join(dir, '.git')}`, `--work-tree=${dir}`];
}

const REPO_CHARS = 1_000;
const URL_OF_REPO = /^(?:https|ssh):\/\/(?:[^\s/@]+@)?[A-Za-z0-9[][^\s/@]*(?:\/\S*)?$/;
const SCP_OF_REPO = /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:[^\s-:][^\s]*$/;
const PATH_OF_REPO = /^(?:file:\/\/)?\//;

/** Nothing that git could take for an option, a program to run or a place that is not meant. */
function checkRepo(repo: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const plain = repo.length <= REPO_CHARS && !/[\0-\x1f\x7f]/.test(repo);
  if (plain && [URL_OF_REPO, SCP_OF_REPO, PATH_OF_REPO].some((shape) => shape.test(repo))) return;
  const expected = 'https://…, ssh://…, git@host:path, file:///… or an absolute path';
  throw new TrailError('invalid_parameter', `workspace.repo: expected ${expected}; got ${shortly(shownRepo(repo))}`);
}

function checkRef(ref: string | undefined): void {
  if (ref === undefined || isSafe(ref)) return;
  throw new TrailError('invalid_parameter', `workspace.ref: expected the name of a branch or tag; got ${shortly(ref)}`);
}

/** As https://git-scm.com/docs/git-check-ref-format has it, and only characters that mean nothing else anywhere. */
function isSafe(ref: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,254}$/.test(ref) && !/\.\.|\/\/|@\{|\/[.-]|[/.]$|\.lock(?:\/|$)|^@$/.test(ref)
  );
}

function shortly(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

/** What `promise` gives, unless the signal is aborted first; what goes on behind is then of no interest. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
