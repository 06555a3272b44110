import type { WireSession } from '../../core/wire-access.ts';
import { type Api, asProblem, type Problem, SESSION } from '../lib/api.ts';
import type { Router } from './router.svelte.ts';

/** Who looks at the page, and what they may. Until that is known nothing that changes something is offered. */
export class Session {
  /** Null: not known yet, or nobody. */
  who = $state.raw<WireSession | null>(null);
  /** Somebody has to sign in before anything goes on. */
  isNeeded = $state(false);
  readonly #api: Api;
  readonly #router: Router;
  #reading: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor(api: Api, router: Router) {
    this.#api = api;
    this.#router = router;
    api.onUnauthorized = this.#onUnauthorized;
  }

  get mayWrite(): boolean {
    return this.who?.role === 'writer' || this.isAdmin;
  }

  get isAdmin(): boolean {
    return this.who?.role === 'admin';
  }

  /** It is a link to one task that opens this page, and that task alone. */
  get isShared(): boolean {
    return this.who?.kind === 'share';
  }

  readonly read = (): Promise<void> => {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  };

  /** What was asked for meanwhile goes on where it was. Answers what is wrong, if anything is. */
  async signIn(token: string): Promise<Problem | null> {
    try {
      this.who = await this.#api.ask<WireSession>('POST', SESSION, { token });
    } catch (error) {
      return asProblem(error);
    }
    this.isNeeded = false;
    for (const goOn of this.#waiting.splice(0)) goOn();
    return null;
  }

  /** Go on with this token, if nobody is known here without one any more. */
  async stayIn(token: string): Promise<void> {
    try {
      await this.#api.ask<WireSession>('GET', SESSION);
    } catch (error) {
      if (asProblem(error).status === 401) await this.signIn(token);
    }
  }

  /** Nothing that was shown stays in the page. */
  async signOut(): Promise<void> {
    await this.#api.ask('DELETE', SESSION);
    window.location.reload();
  }

  /** Resolves with true when the page may go on; a link that is over goes nowhere. */
  readonly #onUnauthorized = async (): Promise<boolean> => {
    if (!this.isNeeded) await this.read();
    if (this.isShared) return false;
    if (!this.isNeeded) return true;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  };

  async #ask(): Promise<void> {
    const { route } = this.#router;
    const task = route.screen === 'task' ? `?task_id=${encodeURIComponent(route.taskId)}` : '';
    try {
      this.who = await this.#api.ask<WireSession>('GET', `${SESSION}${task}`);
    } catch (error) {
      // A server that does not answer is told of by what is shown.
      if (asProblem(error).status !== 401) return;
      this.who = null;
      this.isNeeded = true;
    }
  }
}
