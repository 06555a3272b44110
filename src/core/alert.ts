/** Who watches for something, and tells of it elsewhere: rules that are judged on committed lines and on tasks. */

export const ALERT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** What is counted: lines that match, or tasks that come to match, each of these once. */
export const ALERT_SUBJECTS = ['lines', 'task'] as const;
export type AlertSubject = (typeof ALERT_SUBJECTS)[number];

/** A channel of Slack (`webhook`: that of the incoming webhook), or an address that is posted to. */
export type AlertTarget =
  | { readonly slack: string }
  /** A secret that is left out stays as it is; null is none. */
  | { readonly webhook: string; readonly secret?: string | null };

export interface AlertDefinition {
  /** For people. */
  readonly name: string;
  readonly enabled: boolean;
  readonly on: AlertSubject;
  /** In the language of `docs/query.md`. */
  readonly query: string;
  /** It fires when so many matched within the window. */
  readonly threshold: number;
  readonly windowSeconds: number;
  /** So long it does not fire again. */
  readonly coolDownSeconds: number;
  readonly severity: AlertSeverity;
  readonly to: readonly AlertTarget[];
}

/** How a rule is doing. */
export interface AlertState {
  /** ISO 8601. */
  readonly lastFiredAt: string | null;
  readonly fired: number;
  /** What matched within the window, since it fired last. */
  readonly count: number;
  /** ISO 8601; null when it may fire. */
  readonly coolDownUntil: string | null;
  /** Why a notice could not be delivered, the last time. */
  readonly lastFault: { readonly at: string; readonly reason: string } | null;
  /** Notices that were given up, or held back because there were too many. */
  readonly dropped: number;
}

export interface Alert {
  readonly id: string;
  /** It stands in the config file. */
  readonly fixed: boolean;
  readonly definition: AlertDefinition;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly state: AlertState;
}

/** How often a rule would have fired. */
export interface AlertPreview {
  /** The first of them. */
  readonly fired: readonly { readonly at: string; readonly count: number }[];
  readonly firedTotal: number;
  readonly matches: number;
  /** What was looked at, ISO 8601; when it is not complete, the older part was not. */
  readonly from: string;
  readonly to: string;
  readonly complete: boolean;
}

/** Unix ms; by default the last days. When `signal` aborts it throws soon. */
export interface PreviewWish {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly signal?: AbortSignal;
}

/** What became of a notice at one target. */
export interface AlertDelivery {
  readonly target: string;
  readonly ok: boolean;
  readonly reason: string | null;
}

/** The rules of a server. Throws `invalid_alert` that names each place, `alert_not_found`, `alert_fixed`. */
export interface AlertControl {
  /** Those of the config file first. */
  all(): Promise<readonly Alert[]>;
  find(id: string): Promise<Alert>;
  /** Throws `alert_exists`, `too_many_alerts`. */
  create(id: string | null, definition: AlertDefinition): Promise<Alert>;
  replace(id: string, definition: AlertDefinition): Promise<Alert>;
  delete(id: string): Promise<void>;
  preview(definition: AlertDefinition, wish?: PreviewWish): Promise<AlertPreview>;
  /** Send a notice that says that it is a test. */
  test(id: string): Promise<readonly AlertDelivery[]>;
}
