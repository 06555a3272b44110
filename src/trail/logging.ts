import type { Json } from '../core/entry.ts';
import { type Logging, type LoggingChange, type LoggingControl, parseLoggingChange } from '../core/logging.ts';
import type { Intake } from '../core/ports.ts';

const SETTING = 'logging';
const WIRE_NAMES = {
  level: 'level',
  taskLogLevel: 'task_log_level',
  enableBeliefState: 'enable_belief_state',
} as const satisfies Record<keyof Logging, string>;

/**
 * What was saved of the logging settings beats what the environment says, until null takes it back. Tasks are told here; whoever
 * writes the server's own lines listens.
 */
export class LoggingSettings implements LoggingControl {
  readonly #intake: Intake;
  readonly #environment: Logging;
  readonly #listeners: ((logging: Logging) => void)[] = [];
  #saved: LoggingChange;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(intake: Intake, environment: Logging, saved: LoggingChange) {
    this.#intake = intake;
    this.#environment = environment;
    this.#saved = saved;
  }

  /** Read what was saved, and apply it. */
  static async open(intake: Intake, environment: Logging): Promise<LoggingSettings> {
    const settings = new LoggingSettings(intake, environment, savedIn(await intake.setting(SETTING)));
    await intake.setTaskLevel(settings.current.taskLogLevel);
    return settings;
  }

  get current(): Logging {
    const { level, taskLogLevel, enableBeliefState } = this.#environment;
    return {
      level: this.#saved.level ?? level,
      taskLogLevel: this.#saved.taskLogLevel ?? taskLogLevel,
      enableBeliefState: this.#saved.enableBeliefState ?? enableBeliefState,
    };
  }

  /** The names of those that were saved and so beat the environment. */
  get saved(): readonly string[] {
    const names = Object.keys(WIRE_NAMES) as (keyof Logging)[];
    return names.filter((name) => this.#saved[name] != null).map((name) => WIRE_NAMES[name]);
  }

  /** Told now and after each change. */
  listen(listener: (logging: Logging) => void): void {
    this.#listeners.push(listener);
    listener(this.current);
  }

  /** One change after another, so that what is saved last is what holds. */
  change(change: LoggingChange): Promise<Logging> {
    const turn = this.#turn.then(() => this.#change(change));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Read anew what was saved: another process may have done so. */
  refresh(): Promise<void> {
    const turn = this.#turn.then(async () => {
      const saved = savedIn(await this.#intake.setting(SETTING));
      if (JSON.stringify(wireOf(saved)) !== JSON.stringify(wireOf(this.#saved))) await this.#apply(saved);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #change(change: LoggingChange): Promise<Logging> {
    const saved = { ...this.#saved, ...change };
    await this.#intake.setSetting(SETTING, wireOf(saved));
    return this.#apply(saved);
  }

  async #apply(saved: LoggingChange): Promise<Logging> {
    this.#saved = saved;
    const { current } = this;
    await this.#intake.setTaskLevel(current.taskLogLevel);
    for (const listener of this.#listeners) listener(current);
    return current;
  }
}

/** What was saved; of what cannot be read nothing holds. */
function savedIn(setting: Json): LoggingChange {
  try {
    return parseLoggingChange((setting ?? {}) as Record<string, unknown>);
  } catch {
    return {};
  }
}

function wireOf(saved: LoggingChange): Json {
  const names = Object.keys(WIRE_NAMES) as (keyof Logging)[];
  const held = names.filter((name) => saved[name] != null).map((name) => [WIRE_NAMES[name], saved[name]]);
  return held.length === 0 ? null : (Object.fromEntries(held) as Json);
}
