/** Where in a text a secret stands, and why it is taken for one. */
export interface Secret {
  readonly start: number;
  readonly end: number;
  /** What it is replaced by: `[redacted:<kind>]`. */
  readonly kind: string;
  /** A known shape, a registered value, or the rule of that name. */
  readonly by: 'shape' | 'value' | 'rule';
  readonly rule: string | null;
}

/** A rule of somebody's own: what a pattern in RE2 syntax finds, or the first group in it, is a secret. */
export interface RedactionRule {
  /** 1–64 of `a-z 0-9 -`. */
  readonly name: string;
  readonly pattern: string;
  /** What is shown instead, `[redacted:<kind>]` (default: the name). */
  readonly kind?: string | undefined;
}

/** Who names a value to hide: our own settings, or a command or caller, of which there may be many. */
export type HiddenBy = 'settings' | 'outside';
