export { type AlertRule, alertRules, expressions, type RecordingRule, recordingRules, ruleFiles } from './alert-rules.ts'
