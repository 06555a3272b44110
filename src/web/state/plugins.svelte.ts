import type { PluginInfo } from '../../core/plugin.ts';
import { type AgentInfo, type Api, asProblem, type Problem } from '../lib/api.ts';

/** What can be run, read when somebody first asks. */
export class Plugins {
  list = $state.raw<readonly PluginInfo[] | null>(null);
  agents = $state.raw<readonly AgentInfo[]>([]);
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
      [this.list, this.agents] = await Promise.all([this.#api.plugins(), this.#api.agents()]);
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
