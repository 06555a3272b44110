import { TrailError } from '../../core/error.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import type { StoredWebhook } from '../../core/webhook.ts';
import type { WebhookDefinition } from './definition.ts';
import { builtInHook, definedHook, type Hook } from './hook.ts';
import { PROVIDERS } from './webhook.ts';

export interface CatalogueOptions {
  readonly store: StoreReader;
  readonly intake: Intake;
  /** Secrets of the built-in providers, by name; one without is not checked, or refused. */
  readonly secrets: Readonly<Record<string, string | undefined>>;
  /** Webhooks of the config file by id; the name of a built-in provider changes what that one does. */
  readonly configured?: Readonly<Record<string, ConfiguredWebhook>>;
}

export interface ConfiguredWebhook {
  /** Null for the built-in commands of a provider. */
  readonly definition: WebhookDefinition | null;
  readonly secret: string | null;
  readonly users?: readonly string[];
}

/** What another process changed holds here after this time. */
const FRESH_MS = 1_000;

/**
 * Every webhook: those of the settings, which stand for as long as the process, and those made at run time, which are read from
 * the store again and again, because another process may change them.
 */
export class Catalogue {
  readonly #store: StoreReader;
  readonly #intake: Intake;
  readonly #fixed = new Map<string, Hook>();
  /** Compiled webhooks of the store, each good for as long as it was not changed. */
  readonly #compiled = new Map<string, Hook>();
  #read: { readonly atMs: number; readonly webhooks: Promise<readonly StoredWebhook[]> } | undefined;

  /** Throws `invalid_webhook` for a bad one in the config. */
  constructor({ store, intake, secrets, configured = {} }: CatalogueOptions) {
    this.#store = store;
    this.#intake = intake;
    for (const name of PROVIDERS.keys()) {
      const { secret, users } = configured[name] ?? {};
      const hook = builtInHook(name, { secret: secret ?? secrets[name] ?? null, ...(users && { users }) });
      if (hook) this.#fixed.set(name, hook);
    }
    for (const [id, { definition, secret }] of Object.entries(configured)) {
      if (definition === null) continue;
      const facts = { id, origin: 'config', enabled: true, createdAt: null, updatedAt: null } as const;
      this.#fixed.set(id, definedHook({ ...facts, secret: secret ?? secrets[id] ?? null }, definition));
    }
  }

  /** All of them: the fixed ones first. One that cannot be compiled any more is left out. */
  async all(): Promise<readonly Hook[]> {
    const stored = await this.#stored();
    const ids = new Set(stored.map(({ webhookId }) => webhookId));
    for (const id of this.#compiled.keys()) if (!ids.has(id)) this.#compiled.delete(id);
    const compiled = stored.flatMap((webhook) => this.#compiledOf(webhook) ?? []);
    return [...this.#fixed.values(), ...compiled];
  }

  /** Throws `webhook_not_found`. */
  async find(id: string): Promise<Hook> {
    const hook = this.#fixed.get(id) ?? (await this.all()).find((one) => one.id === id);
    if (hook) return hook;
    throw new TrailError('webhook_not_found', `there is no webhook ${JSON.stringify(id.slice(0, 100))}`);
  }

  /** The webhook behind `/webhooks/{provider}` or `/webhooks/{provider}/{id}`. Throws `webhook_not_found`. */
  async at(provider: string, id: string = provider): Promise<Hook> {
    const hook = await this.find(id);
    if (hook.provider.name === provider) return hook;
    throw new TrailError('webhook_not_found', `the webhook ${id} is none of ${provider}`);
  }

  /** Throws `invalid_webhook` that names each bad place, `webhook_exists`, `webhook_fixed`. */
  make(webhook: StoredWebhook): Promise<Hook> {
    return this.#save(webhook, true);
  }

  /** Throws `invalid_webhook` that names each bad place, `webhook_fixed`. */
  change(webhook: StoredWebhook): Promise<Hook> {
    return this.#save(webhook, false);
  }

  async #save(webhook: StoredWebhook, isNew: boolean): Promise<Hook> {
    this.checkChangeable(webhook.webhookId);
    const hook = hookOf(webhook);
    await this.#intake.saveWebhook(webhook, isNew);
    this.#read = undefined;
    return hook;
  }

  async delete(id: string): Promise<void> {
    this.checkChangeable(id);
    await this.find(id);
    await this.#intake.deleteWebhook(id);
    this.#read = undefined;
  }

  checkChangeable(id: string): void {
    const origin = this.#fixed.get(id)?.origin;
    if (origin === undefined) return;
    const place = origin === 'config' ? 'stands in the config file' : 'is built in; its secret is a setting';
    throw new TrailError('webhook_fixed', `the webhook ${id} ${place}`);
  }

  #stored(): Promise<readonly StoredWebhook[]> {
    const nowMs = performance.now();
    if (this.#read === undefined || nowMs - this.#read.atMs > FRESH_MS) {
      const webhooks = this.#store.webhooks();
      this.#read = { atMs: nowMs, webhooks };
      webhooks.catch(() => {
        this.#read = undefined;
      });
    }
    return this.#read.webhooks;
  }

  #compiledOf(webhook: StoredWebhook): Hook | undefined {
    const { webhookId, updatedAt, enabled } = webhook;
    const known = this.#compiled.get(webhookId);
    if (known?.updatedAt === updatedAt && known.enabled === enabled) return known;
    try {
      const hook = hookOf(webhook);
      this.#compiled.set(webhookId, hook);
      return hook;
    } catch {
      // It was checked when it was saved; only another version of us may have allowed more.
      return undefined;
    }
  }
}

function hookOf({ webhookId, enabled, definition, secret, createdAt, updatedAt }: StoredWebhook): Hook {
  const facts = { id: webhookId, origin: 'api', enabled, secret, createdAt, updatedAt } as const;
  return definedHook(facts, definition as unknown as WebhookDefinition);
}
