import { type DescMessage, getOption } from '@bufbuild/protobuf'
import { Sensitivity, sensitivity } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

const answers = new WeakMap<DescMessage, boolean>()

/** Whether the message carries anything personal or secret, however deep: such a request never travels in a URL. */
export function hasSensitiveField(message: DescMessage): boolean {
  const known = answers.get(message)
  if (known !== undefined) return known
  answers.set(message, false) // A message inside itself says nothing new.
  const answer = message.fields.some(
    (field) =>
      getOption(field, sensitivity) !== Sensitivity.UNSPECIFIED || (field.message !== undefined && hasSensitiveField(field.message)),
  )
  answers.set(message, answer)
  return answer
}
