/** The marks of what we write ourselves: our own words are never a command to us. GitHub does not show its mark. */
export const OWN_MARKS = { github: '<!-- tasktrail -->', jira: 'tasktrail: ' } as const;

/** The buttons under a plan in Slack: their names, and what pressing them means. Their value is the task's id. */
export const BUTTONS = { tasktrail_approve: 'approve', tasktrail_reject: 'reject' } as const;
