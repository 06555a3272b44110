import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { TrailError } from '../core/error.ts';
import { type RawSections, SECTION_KEYS } from './sections.ts';
import type { Setting } from './setting.ts';
import { type Config, isLoopback, SETTINGS } from './settings.ts';
import { Expected } from './values.ts';

export interface ConfigSources {
  /** Flags by the setting's key, as commander gives them. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The file named by `--config`; it must be there. Default: `tasktrail.config.json`, if it is there. */
  readonly configFile?: string | undefined;
}

/** A value with the place it came from, so that a bad one can be named. */
interface Given {
  readonly text: string;
  readonly where: string;
}

const CONFIG_FILE = 'tasktrail.config.json';

/**
 * Every setting, from the first place that names it: flags, environment, `.env`, `tasktrail.config.json`, default. An empty
 * value counts as not given.
 * @throws `invalid_setting` that names the setting, the value and what is allowed
 */
export function readConfig(sources: ConfigSources = {}): Config {
  const cwd = sources.cwd ?? process.cwd();
  const env = sources.env ?? process.env;
  const dotenv = readDotenv(resolve(cwd, '.env'));
  const file = readConfigFile(cwd, sources.configFile);
  const settingOf = (key: string, setting: Setting): unknown => {
    const { name, flag, mayBeEmpty = false } = setting;
    const text = (value: unknown, where: string): Given | undefined =>
      value === '' && mayBeEmpty ? { text: '', where } : textOf(value, where);
    const given =
      text(sources.flags?.[key], flag?.split(' ')[0] ?? key) ??
      text(env[name], name) ??
      text(dotenv[name], `${name} in .env`) ??
      text(file.values[fileKey(name)], `${fileKey(name)} in ${file.name}`);
    return given === undefined ? setting.fallback() : parsed(setting, given);
  };
  const values = Object.entries(SETTINGS).map(([key, setting]) => [key, settingOf(key, setting as Setting)]);
  const config = { ...Object.fromEntries(values), sections: sectionsOf(cwd, file) } as Config;
  const dataDir = resolve(cwd, config.dataDir);
  const logFile = config.logFile === '' ? undefined : resolve(cwd, config.logFile ?? join(dataDir, 'server.log'));
  return { ...config, dataDir, taskLogsDir: resolve(cwd, config.taskLogsDir || join(dataDir, 'tasks')), logFile };
}

/** Refuse to be reached from other machines by everybody. */
export function checkExposure({ host, tokens }: Config, hasStoredTokens: boolean): void {
  if (isLoopback(host) || tokens.length > 0 || hasStoredTokens) return;
  throw new TrailError(
    'invalid_setting',
    `TASKTRAIL_HOST: ${host} can be reached from other machines; set TASKTRAIL_TOKENS=admin:TOKEN,…, make one with: tasktrail token create NAME --role admin, or use 127.0.0.1`,
  );
}

/** Colours are for terminals, unless `NO_COLOR` says no (https://no-color.org). */
export function wantsColour(env: ConfigSources['env'] = process.env): boolean {
  return !env.NO_COLOR;
}

/** What commands that a server runs get of its environment: what programs need to work, and no secret. */
export function commandEnv(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** What an agent gets: what programs need to work, what the settings name (`*` ends a name), and never a secret of ours. */
export function agentEnv(
  names: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const ours = Object.values(SETTINGS).flatMap(({ name, secret }) => (secret ? [name] : []));
  const fits = (name: string): boolean =>
    names.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  const named = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && !ours.includes(name) && fits(name) ? [[name, value]] : [],
  );
  return { ...commandEnv(env), ...(Object.fromEntries(named) as Record<string, string>) };
}

/** For what the config file names by a variable, so that a secret need not stand in the file. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** The values of settings that must never be seen. */
export function secretValues(config: Config): readonly string[] {
  return Object.entries(SETTINGS).flatMap(([key, { secret }]) => {
    const value = secret ? config[key as keyof typeof SETTINGS] : undefined;
    if (typeof value === 'string') return [value];
    return key === 'tokens' ? config.tokens.map(({ token }) => token) : [];
  });
}

/** The setting's name in the config file: `TASKTRAIL_DATA_DIR` is `data_dir`. */
export function fileKey(name: string): string {
  return name.replace(/^TASKTRAIL_/, '').toLowerCase();
}

function parsed({ parse, secret }: Setting, { text, where }: Given): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    const shown = secret ? 'something else' : JSON.stringify(text.slice(0, 200));
    throw new TrailError('invalid_setting', `${where}: expected ${error.message}; got ${shown}`);
  }
}

function textOf(value: unknown, where: string): Given | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return { text: value.trim(), where };
  if (typeof value === 'number' || typeof value === 'boolean') return { text: String(value), where };
  if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return { text: value.join(','), where };
  throw new TrailError('invalid_setting', `${where}: expected text, a number or a list of texts; got ${typeof value}`);
}

function readDotenv(path: string): Readonly<Record<string, string | undefined>> {
  const text = readIfThere(path);
  return text === undefined ? {} : parseEnv(text);
}

interface ConfigFile {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

function sectionsOf(cwd: string, { name, values }: ConfigFile): RawSections {
  const given = SECTION_KEYS.filter((key) => values[key] !== undefined && values[key] !== null);
  return {
    file: name,
    dir: dirname(resolve(cwd, name)),
    values: Object.fromEntries(given.map((key) => [key, values[key]])),
  };
}

function readConfigFile(cwd: string, named: string | undefined): ConfigFile {
  const name = named ?? CONFIG_FILE;
  const text = readIfThere(resolve(cwd, name));
  if (text === undefined) {
    if (named === undefined) return { name, values: {} };
    throw new TrailError('invalid_setting', `--config: expected a file that can be read, got ${JSON.stringify(named)}`);
  }
  const values = objectOf(text, name);
  const known = [...Object.values(SETTINGS).map((setting) => fileKey(setting.name)), ...SECTION_KEYS];
  const unknown = Object.keys(values).find((key) => key !== '$schema' && !known.includes(key));
  if (unknown === undefined) return { name, values };
  throw new TrailError('invalid_setting', `${name}: expected ${known.join(', ')}; got ${JSON.stringify(unknown)}`);
}

function objectOf(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser quotes what it stumbled over, which may be a token: only the place is told.
    const place = /position \d+/.exec(error instanceof Error ? error.message : '')?.[0];
    throw new TrailError('invalid_setting', `${name}: expected JSON${place ? `; it is broken at ${place}` : ''}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TrailError('invalid_setting', `${name}: expected a JSON object with settings, got something else`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TrailError('invalid_setting', `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
