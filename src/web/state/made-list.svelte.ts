import { asProblem, type Problem } from '../lib/api.ts';

type Role = 'admin' | 'writer' | 'reader';

/** What was made at run time and can be changed, such as webhooks: all that the server has, and what the reader may do with it. */
export class MadeList<Item> {
  list = $state.raw<readonly Item[] | null>(null);
  role = $state.raw<Role>('reader');
  problem = $state.raw<Problem | null>(null);
  readonly #name: string;
  readonly #fetch: () => Promise<{ readonly list: readonly Item[]; readonly role: Role }>;

  /** `name`: what the items are called, in the plural. */
  constructor(name: string, fetch: () => Promise<{ readonly list: readonly Item[]; readonly role: Role }>) {
    this.#name = name;
    this.#fetch = fetch;
  }

  readonly read = async (): Promise<void> => {
    try {
      const { list, role } = await this.#fetch();
      this.list = list;
      this.role = role;
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    }
  };

  /** Why the reader may not change them; empty when they may. */
  get locked(): string {
    return this.role === 'admin' ? '' : `Only an admin may change ${this.#name}: ask with an admin token.`;
  }
}
