import type { PluginInfo } from '../../core/plugin.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';

/** What can be run, read when somebody first asks. */
export class Plugins {
  list = $state.raw<readonly PluginInfo[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  readonly #api: Api;
  #reading = false;

  constructor(api: Api) {
    this.#api = api;
  }

  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      this.list = await this.#api.plugins();
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.#reading = false;
    }
  }

  /** Agents always can: their process is stopped and continued. */
  readonly pausable = (runner: string): boolean =>
    runner.startsWith('agent:') ||
    (this.list?.some(({ id, pausable }) => runner === `plugin:${id}` && pausable) ?? false);
}
