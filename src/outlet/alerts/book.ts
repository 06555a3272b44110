import { randomBytes } from 'node:crypto';
import type { AlertDefinition, AlertTarget } from '../../core/alert.ts';
import type { Json } from '../../core/entry.ts';
import { asTrailError, type Fault, TrailError } from '../../core/error.ts';
import { ALERTS } from '../../core/limits.ts';
import type { Intake } from '../../core/ports.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import { addressFault, type Outbound } from '../outbound/outbound.ts';
import { invalidAlert, type ReadQuery, type Rule, type RuleFacts, ruleOf } from './rule.ts';

export interface BookParts {
  readonly intake: Pick<Intake, 'setting' | 'setSetting' | 'hide' | 'mask'>;
  readonly clock: Clock;
  readonly readQuery: ReadQuery;
  readonly outbound: Outbound;
  /** Those of the config file, by id. */
  readonly configured: Readonly<Record<string, AlertDefinition>>;
}

/** A rule as it is kept. */
interface StoredRule {
  readonly id: string;
  readonly definition: Omit<AlertDefinition, 'to'>;
  /** As hexadecimal digits: settings are masked like everything else, and an address that is masked reaches nobody. */
  readonly to: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The setting in which rules are kept. */
const NAME = 'alert_rules';

/** The rules: those of the config file, which stand for as long as the process, and those made at run time. */
export class RuleBook {
  readonly #parts: BookParts;
  readonly #fixed: ReadonlyMap<string, Rule>;
  #read: Promise<ReadonlyMap<string, Rule>> | undefined;
  /** Rules that only another version of us can read. They are written back as they are. */
  #odd: readonly StoredRule[] = [];
  /** One change after the other: each writes all rules. */
  #changing: Promise<unknown> = Promise.resolve();

  /** Throws `invalid_alert` for a bad one in the config. */
  constructor(parts: BookParts) {
    this.#parts = parts;
    const rules = Object.entries(parts.configured).map(([id, definition]): [string, Rule] => {
      return [id, this.#configured(id, definition)];
    });
    this.#fixed = new Map(rules);
  }

  /** All of them: the fixed ones first. */
  async all(): Promise<readonly Rule[]> {
    return [...this.#fixed.values(), ...(await this.#made()).values()];
  }

  /** Throws `alert_not_found`. */
  async find(id: string): Promise<Rule> {
    const rule = this.#fixed.get(id) ?? (await this.#made()).get(id);
    if (rule) return rule;
    throw new TrailError('alert_not_found', `there is no alert ${JSON.stringify(id.slice(0, 100))}`);
  }

  /** Look again what others have saved. */
  async refresh(): Promise<void> {
    this.#read = undefined;
    await this.#made();
  }

  create(id: string | null, definition: AlertDefinition): Promise<Rule> {
    return this.#change(async (made) => {
      const now = isoTime(this.#parts.clock.now());
      const named = id ?? `alert-${randomBytes(6).toString('hex')}`;
      this.#checkChangeable(named);
      if (made.has(named)) throw new TrailError('alert_exists', `the alert ${named} exists already; choose another id`);
      if (made.size + this.#fixed.size >= ALERTS) {
        throw new TrailError('too_many_alerts', `expected at most ${ALERTS} alerts; delete one first`);
      }
      return this.#put(made, { id: named, fixed: false, definition, createdAt: now, updatedAt: now });
    });
  }

  /** A webhook whose secret is left out keeps the one that it has. */
  replace(id: string, definition: AlertDefinition): Promise<Rule> {
    return this.#change(async (made) => {
      this.#checkChangeable(id);
      const { createdAt, definition: before } = await this.find(id);
      const to = definition.to.map((target) => withSecret(target, before.to));
      const updatedAt = isoTime(this.#parts.clock.now());
      return this.#put(made, { id, fixed: false, definition: { ...definition, to }, createdAt, updatedAt });
    });
  }

  delete(id: string): Promise<Rule> {
    return this.#change(async (made) => {
      this.#checkChangeable(id);
      const rule = await this.find(id);
      made.delete(id);
      return rule;
    });
  }

  /** The places of its faults begin with its id. */
  #configured(id: string, definition: AlertDefinition): Rule {
    try {
      return this.#compiled({ id, fixed: true, definition, createdAt: null, updatedAt: null });
    } catch (error) {
      const { code, message, errors = [] } = asTrailError(error);
      const placed = errors.map(({ path, detail }) => ({ path: `${id}.${path}`, detail }));
      throw new TrailError(code, `${id}: ${message}`, { cause: error, errors: placed });
    }
  }

  #checkChangeable(id: string): void {
    if (this.#fixed.has(id)) throw new TrailError('alert_fixed', `the alert ${id} stands in the config file`);
  }

  async #put(made: Map<string, Rule>, facts: RuleFacts): Promise<Rule> {
    const rule = this.#compiled(facts);
    await this.#checkReach(rule);
    made.set(rule.id, rule);
    return rule;
  }

  /** Who may make alerts is not thereby let into our own network. It is looked at again when something is sent. */
  async #checkReach({ definition: { to } }: Rule): Promise<void> {
    const { outbound } = this.#parts;
    const checks = to.map(async (target, index): Promise<readonly Fault[]> => {
      if (!('webhook' in target)) return [];
      const detail = await addressFault(target.webhook, { outbound, namedBy: 'others' });
      return detail === null ? [] : [{ path: `to[${index}].webhook`, detail }];
    });
    const faults = (await Promise.all(checks)).flat();
    if (faults.length > 0) throw invalidAlert(faults);
  }

  /** From what is stored now: another server may have changed it. */
  #change(work: (made: Map<string, Rule>) => Promise<Rule>): Promise<Rule> {
    const changed = this.#changing.then(async () => {
      await this.refresh();
      const made = new Map(await this.#made());
      const rule = await work(made);
      await this.#hide([rule]);
      const stored = [...this.#odd, ...[...made.values()].map(storedOf)];
      await this.#parts.intake.setSetting(NAME, stored as unknown as Json);
      this.#read = Promise.resolve(made);
      return rule;
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #made(): Promise<ReadonlyMap<string, Rule>> {
    this.#read ??= this.#load().catch((error) => {
      this.#read = undefined;
      throw error;
    });
    return this.#read;
  }

  async #load(): Promise<ReadonlyMap<string, Rule>> {
    const stored = ((await this.#parts.intake.setting(NAME)) ?? []) as unknown as readonly StoredRule[];
    const rules = stored.flatMap((one) => this.#compiledOf(one) ?? []);
    this.#odd = stored.filter(({ id }) => !rules.some((rule) => rule.id === id));
    await this.#hide([...this.#fixed.values(), ...rules]);
    return new Map(rules.map((rule) => [rule.id, rule]));
  }

  #compiledOf({ id, definition, to, createdAt, updatedAt }: StoredRule): Rule | undefined {
    try {
      const targets = JSON.parse(Buffer.from(to, 'hex').toString('utf8')) as readonly AlertTarget[];
      const facts = { id, fixed: false, definition: { ...definition, to: targets }, createdAt, updatedAt };
      return this.#compiled(facts, (text) => text);
    } catch {
      return undefined;
    }
  }

  #compiled(facts: RuleFacts, mask = (text: string): string => this.#parts.intake.mask(text)): Rule {
    const { readQuery, clock } = this.#parts;
    return ruleOf(facts, { readQuery, mask, nowMs: clock.now() });
  }

  async #hide(rules: readonly Rule[]): Promise<void> {
    const targets = rules.flatMap(({ definition }) => definition.to);
    const secrets = targets.flatMap((target) => ('webhook' in target && target.secret ? [target.secret] : []));
    if (secrets.length > 0) await this.#parts.intake.hide(secrets);
  }
}

function storedOf({ id, definition: { to, ...definition }, createdAt, updatedAt }: Rule): StoredRule {
  const hex = Buffer.from(JSON.stringify(to)).toString('hex');
  return { id, definition, to: hex, createdAt: createdAt ?? '', updatedAt: updatedAt ?? '' };
}

function withSecret(target: AlertTarget, before: readonly AlertTarget[]): AlertTarget {
  if (!('webhook' in target) || target.secret !== undefined) return target;
  const same = before.find((one) => 'webhook' in one && one.webhook === target.webhook);
  return same && 'webhook' in same && same.secret ? { ...target, secret: same.secret } : target;
}
