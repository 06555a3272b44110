import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { JsonObject } from '../core/entry.ts';
import { asTrailError, TrailError } from '../core/error.ts';
import type { AnyPlugin } from '../core/plugin.ts';
import type { DebugFacts } from '../plugins/debug.ts';
import { debugPlugin } from '../plugins/debug.ts';
import { demoPlugin } from '../plugins/demo.ts';
import { shellPlugin } from '../plugins/shell.ts';
import { DATABASE_FILE } from '../store/sqlite/database.ts';
import { registered } from '../task/plugin.ts';
import { commandEnv, fileKey } from './config.ts';
import { readSections, type Sections } from './config-file.ts';
import { offerOwnPackage } from './own-package.ts';
import { version } from './package.ts';
import { type Config, SETTINGS } from './settings.ts';

/** What the running server knows and the settings do not. */
export type ServerFacts = Pick<DebugFacts, 'totals' | 'redis'>;

export interface Runnable {
  readonly plugins: readonly AnyPlugin[];
  readonly concurrency: number;
}

/**
 * All that a server can run: the bundled plugins, then those of the modules that the config file names.
 * Throws `invalid_setting` that names the section or module and what is wrong with it.
 */
export async function loadPlugins(config: Config, facts: ServerFacts): Promise<Runnable> {
  const sections = readSections(config.sections);
  const plugins = new Map<string, AnyPlugin>();
  for (const plugin of bundled(config, sections, facts)) plugins.set(plugin.id, plugin);
  for (const [place, path] of sections.plugins.entries()) {
    const where = `plugins.${place} in ${config.sections.file}`;
    for (const plugin of await pluginsOf(path, where)) {
      if (plugins.has(plugin.id)) throw wrong(where, `expected a new id, got ${plugin.id}, which another plugin has`);
      plugins.set(plugin.id, plugin);
    }
  }
  return { plugins: [...plugins.values()], concurrency: sections.concurrency };
}

function bundled(config: Config, { shell, concurrency }: Sections, facts: ServerFacts): AnyPlugin[] {
  const debug = debugPlugin({
    version: version(),
    dataDir: config.dataDir,
    databaseFile: DATABASE_FILE,
    settings: { ...shownSettings(config), concurrency, shell_commands: Object.keys(shell) },
    ...facts,
  });
  const { dir: cwd } = config.sections;
  const listed = Object.keys(shell).length > 0 ? [shellPlugin(shell, { cwd, env: commandEnv() })] : [];
  return [demoPlugin, debug, ...listed];
}

/** The settings that hold, by their names in the config file; of a secret only that there is one. */
function shownSettings(config: Config): JsonObject {
  const shown = Object.entries(SETTINGS).map(([key, { name, secret }]) => {
    const value = config[key as keyof typeof SETTINGS];
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    return [fileKey(name), isSet ? (secret ? '***' : value) : null];
  });
  return Object.fromEntries(shown) as JsonObject;
}

async function pluginsOf(path: string, where: string): Promise<readonly AnyPlugin[]> {
  if (!existsSync(path)) throw wrong(where, `expected a module, but there is no file ${path}`);
  offerOwnPackage();
  let exported: unknown;
  try {
    ({ default: exported } = (await import(pathToFileURL(path).href)) as { default?: unknown });
  } catch (cause) {
    throw wrong(where, `${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const found = Array.isArray(exported) ? exported : [exported];
  if (exported === undefined || found.length === 0) {
    throw wrong(where, `expected ${path} to export a plugin, or a list of them, as its default`);
  }
  for (const plugin of found) {
    try {
      registered(plugin);
    } catch (cause) {
      throw wrong(where, `${path}: ${asTrailError(cause).message}`, cause);
    }
  }
  return found as readonly AnyPlugin[];
}

function wrong(where: string, what: string, cause?: unknown): TrailError {
  return new TrailError('invalid_setting', `${where}: ${what}`, cause === undefined ? {} : { cause });
}
