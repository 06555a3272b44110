/** Keys of the config file that are more than a setting. They can be given nowhere else, and only a server reads them. */
export const SECTION_KEYS = [
  'shell',
  'plugins',
  'concurrency',
  'webhooks',
  'agents',
  'slack',
  'alerts',
  'redaction',
] as const;
export type SectionKey = (typeof SECTION_KEYS)[number];

/** The sections as they stand in the file; `readSections` checks them. */
export interface RawSections {
  /** The config file as it was named, for people. */
  readonly file: string;
  /** Its directory, from which the paths in it are seen. */
  readonly dir: string;
  readonly values: { readonly [K in SectionKey]?: unknown };
}
