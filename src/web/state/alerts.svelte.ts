import type { WireAlert, WireAlertList } from '../../core/wire-alert.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';

/** The alerts of the server, and what the reader may do with them. */
export class Alerts {
  list = $state.raw<readonly WireAlert[] | null>(null);
  role = $state.raw<WireAlertList['role']>('reader');
  problem = $state.raw<Problem | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  readonly read = async (): Promise<void> => {
    try {
      const { alerts, role } = await this.#api.alerts();
      this.list = alerts;
      this.role = role;
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    }
  };

  /** Why the reader may not change alerts; empty when they may. */
  get locked(): string {
    return this.role === 'admin' ? '' : 'Only an admin may change alerts: ask with an admin token.';
  }
}
