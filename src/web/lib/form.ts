import type { Json } from '../../core/entry.ts';

/** How a text is asked for. */
export type TextInput = 'text' | 'date' | 'datetime-local' | 'email' | 'url' | 'password';

/** One thing that a person fills in. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  readonly kind: 'text' | 'longtext' | 'number' | 'boolean' | 'choice' | 'json';
  /** Of a text (default plain text). */
  readonly input?: TextInput;
  /** What stands in the field at first, as text; of a boolean `true` or empty. */
  readonly initial: string;
  /** What could stand there. */
  readonly example?: string;
  readonly choices: readonly Json[];
  /** How the choices are told to people, where not as they are. */
  readonly words?: readonly string[];
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** A whole number. */
  readonly whole: boolean;
}
