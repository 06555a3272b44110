import { asProblem, type Problem } from '../lib/api.ts';

/** One thing that a person asks of the server at a time: under way, refused with the server's words, or done. */
export class Request {
  /** What is under way, by the name it was given. */
  busy = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);

  /** Send it unless something is under way already. Answers undefined when it failed; `problem` says why. */
  async send<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.busy !== null) return undefined;
    this.busy = name;
    this.problem = null;
    try {
      return await work();
    } catch (error) {
      this.problem = asProblem(error);
      return undefined;
    } finally {
      this.busy = null;
    }
  }
}
