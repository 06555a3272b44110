/** One setting: how it is named everywhere, how its text is read, and what the docs say of it. */
export interface Setting<T = unknown> {
  /** The environment variable. In `tasktrail.config.json` it is the same in lower case, without `TASKTRAIL_`. */
  readonly name: string;
  /** The flag of `serve`; settings for the other commands have none. */
  readonly flag?: string;
  /** Read the text. Throws `Expected` with what is allowed. */
  readonly parse: (text: string) => T;
  readonly fallback: () => T;
  /** An empty text is a value; of the others it counts as not given. */
  readonly mayBeEmpty?: boolean;
  readonly shownDefault: string;
  readonly meaning: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
}
