import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createFileRegistry,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

/** Something of a contract that a comment can stand above. */
export type Commented = DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue

/** The contracts as they stand in proto/, with their comments, which generated code does not have. */
export interface Contracts {
  /** Our services, ordered by package and then as they stand in their files. */
  readonly services: readonly DescService[]
  /** Our top-level messages, in the same order. */
  readonly messages: readonly DescMessage[]
  /** Our `ErrorReason` enums. */
  readonly reasons: readonly DescEnum[]
  /** The comment above `desc` as one paragraph; empty where there is none. */
  comment(desc: Commented): string
}

/** @param fresh folder for what is made on the way. */
export function readContracts(root: string, fresh: string): Contracts {
  const image = join(fresh, 'contracts.binpb')
  execFileSync(join(root, 'node_modules/.bin/buf'), ['build', '-o', image], { cwd: root, stdio: 'inherit' })
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)))
  const files = [...registry.files]
    .filter((file) => file.proto.package.startsWith('gatehouse.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
  const comments = new Map(files.map((file) => [file.name, commentsOf(file)]))
  return {
    services: files.flatMap((file) => file.services),
    messages: files.flatMap((file) => file.messages),
    reasons: files.flatMap((file) => file.enums).filter((each) => each.name === 'ErrorReason'),
    comment: (desc) => comments.get(fileOf(desc).name)?.get(pathOf(desc).join('.')) ?? '',
  }
}

function commentsOf(file: DescFile): Map<string, string> {
  const locations = file.proto.sourceCodeInfo?.location ?? []
  return new Map(locations.map((location) => [location.path.join('.'), location.leadingComments.replace(/\s+/g, ' ').trim()]))
}

function fileOf(desc: Commented): DescFile {
  return desc.kind === 'enum_value' ? desc.parent.file : desc.kind === 'field' || desc.kind === 'rpc' ? desc.parent.file : desc.file
}

/** Where a descriptor stands in its file, as `google.protobuf.SourceCodeInfo` counts: field numbers of descriptor.proto and indices. */
function pathOf(desc: Commented): number[] {
  switch (desc.kind) {
    case 'service':
      return [6, desc.file.proto.service.indexOf(desc.proto)]
    case 'rpc':
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)]
    case 'message':
      if (desc.parent) return [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)]
      return [4, desc.file.proto.messageType.indexOf(desc.proto)]
    case 'field':
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)]
    case 'enum':
      if (desc.parent) return [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)]
      return [5, desc.file.proto.enumType.indexOf(desc.proto)]
    case 'enum_value':
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)]
  }
}
