import { type DescEnum, type DescExtension, type DescField, type DescFile, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { FieldDescriptorProto_Label } from '@bufbuild/protobuf/wkt'

/**
 * Writes a file descriptor as `.proto` source: messages, oneofs, enums, extension ranges and extensions, without comments and custom
 * options. Enough for a file that exists on npm as a descriptor only to be imported by ours.
 */
export function printProto(file: DescFile): string {
  const lines = [`syntax = "proto2";`, `package ${file.proto.package};`]
  for (const dependency of file.proto.dependency) lines.push(`import "${dependency}";`)
  for (const message of file.messages) lines.push(...printMessage(message))
  for (const enumeration of file.enums) lines.push(...printEnum(enumeration))
  for (const extension of file.extensions) lines.push(...printExtension(extension))
  return `${lines.join('\n')}\n`
}

function printMessage(message: DescMessage): string[] {
  const body: string[] = []
  for (const member of message.members) {
    if (member.kind === 'field') body.push(printField(member))
    else body.push(`oneof ${member.name} {`, ...member.fields.map((field) => printField(field, true)), '}')
  }
  for (const nested of message.nestedMessages) if (!nested.proto.options?.mapEntry) body.push(...printMessage(nested))
  for (const nested of message.nestedEnums) body.push(...printEnum(nested))
  for (const range of message.proto.extensionRange)
    body.push(`extensions ${range.start} to ${range.end > 536870911 ? 'max' : range.end - 1};`)
  return [`message ${message.name} {`, ...body, '}']
}

function printField(field: DescField | DescExtension, inOneof = false): string {
  const label =
    field.proto.label === FieldDescriptorProto_Label.REPEATED
      ? 'repeated '
      : field.proto.label === FieldDescriptorProto_Label.REQUIRED
        ? 'required '
        : 'optional '
  return `${inOneof ? '' : label}${typeName(field)} ${field.name} = ${field.number};`
}

function typeName(field: DescField | DescExtension): string {
  if (field.scalar !== undefined) return ScalarType[field.scalar].toLowerCase()
  return field.proto.typeName
}

function printEnum(enumeration: DescEnum): string[] {
  return [`enum ${enumeration.name} {`, ...enumeration.values.map((value) => `${value.name} = ${value.number};`), '}']
}

function printExtension(extension: DescExtension): string[] {
  return [`extend .${extension.extendee.typeName} {`, printField(extension), '}']
}
