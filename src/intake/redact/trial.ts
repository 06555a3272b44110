import type { RedactionRule, Secret } from '../../core/redaction.ts';
import { Rules } from './rules.ts';
import { merged, replaced } from './secrets.ts';

/** A text with what is known to be secret in it, and what rules that are only tried find besides. Throws `invalid_setting`. */
export function trial(
  text: string,
  { known, rules }: { readonly known: readonly Secret[]; readonly rules: readonly RedactionRule[] },
): { readonly masked: string; readonly secrets: readonly Secret[] } {
  const found = [...known];
  new Rules(rules).find(text, found);
  const secrets = merged(found);
  return { masked: replaced(text, secrets), secrets };
}
