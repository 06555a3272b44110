import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { newTaskId } from '../core/id.ts';
import type { Intake } from '../core/ports.ts';
import { withoutSecrets } from '../core/secret-schema.ts';
import type { Task } from '../core/task.ts';
import type { Vault } from './distribution.ts';

/** Tasks whose secret parameters are remembered. */
const KEPT = 10_000;

/**
 * Parameters with secrets, of tasks that wait or work, by the mark in their metadata: what is stored of them is masked. Of too many
 * that never end here, the oldest are forgotten.
 */
export class SecretParams {
  readonly #kept = new Map<string, JsonObject>();
  readonly #vault: Vault | undefined;

  /** @param vault  where others find them who may run the task */
  constructor(vault: Vault | undefined) {
    this.#vault = vault;
  }

  /**
   * What may be stored of parameters, and the mark of those that held a secret: by what their schema calls one, which is hidden in what
   * the run prints too, or by how it looks.
   */
  async take(
    params: JsonObject,
    { schema, intake }: { readonly schema: JsonObject; readonly intake: Pick<Intake, 'hide' | 'mask'> },
  ): Promise<{ readonly shown: JsonObject; readonly text: string; readonly mark: string | undefined }> {
    const { shown, secrets } = withoutSecrets(schema, params);
    if (secrets.length > 0) await intake.hide(secrets);
    const text = JSON.stringify(shown);
    const secret = secrets.length > 0 || intake.mask(text) !== text;
    return { shown, text, mark: secret ? this.#keep(params) : undefined };
  }

  #keep(params: JsonObject): string {
    const mark = newTaskId();
    this.#kept.set(mark, params);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > KEPT) this.#kept.delete(oldest);
    this.#vault?.keep(mark, params);
    return mark;
  }

  /** Undefined when a task has none. Throws when they are lost. */
  async of({ metadata }: Task): Promise<JsonObject | undefined> {
    const mark = metadata?.secret_params;
    if (mark === undefined) return undefined;
    const found = this.#kept.get(String(mark)) ?? (await this.#vault?.find(String(mark)));
    if (found) return found;
    throw new TrailError('invalid_params', 'its parameters held secrets, which are not stored; start it anew');
  }

  forget(mark: unknown): void {
    if (mark === undefined) return;
    this.#kept.delete(String(mark));
    this.#vault?.forget(String(mark));
  }
}
