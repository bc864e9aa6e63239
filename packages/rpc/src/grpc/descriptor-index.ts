import { type DescFile, type DescMessage, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'

/** The proto files that a door can tell about, found by file name, symbol or extension. */
export interface DescriptorIndex {
  fileNamed(name: string): DescFile | undefined
  /** File that declares a message, enum, service, method or extension by its full name. */
  fileOfSymbol(symbol: string): DescFile | undefined
  fileOfExtension(typeName: string, number: number): DescFile | undefined
  /** `undefined` for an unknown message. */
  extensionNumbers(typeName: string): readonly number[] | undefined
  /** Serialised FileDescriptorProto of the file and of everything that it imports. */
  closure(file: DescFile): readonly Uint8Array[]
}

/** Indexes files and everything that they import. */
export function indexDescriptors(roots: readonly DescFile[]): DescriptorIndex {
  const files = new Map<string, DescFile>()
  for (const root of roots) for (const file of withImports(root)) files.set(file.proto.name, file)
  const symbols = new Map<string, DescFile>()
  const extensions = new Map<string, Map<number, DescFile>>()
  const bytes = new Map<DescFile, Uint8Array>()

  function addMessage(message: DescMessage, file: DescFile): void {
    symbols.set(message.typeName, file)
    for (const inner of message.nestedMessages) addMessage(inner, file)
    for (const inner of message.nestedEnums) symbols.set(inner.typeName, file)
    for (const extension of message.nestedExtensions) addExtension(extension.typeName, extension.extendee.typeName, extension.number, file)
  }

  function addExtension(name: string, extendee: string, number: number, file: DescFile): void {
    symbols.set(name, file)
    const known = extensions.get(extendee) ?? new Map<number, DescFile>()
    extensions.set(extendee, known.set(number, file))
  }

  for (const file of files.values()) {
    for (const message of file.messages) addMessage(message, file)
    for (const desc of file.enums) symbols.set(desc.typeName, file)
    for (const extension of file.extensions) addExtension(extension.typeName, extension.extendee.typeName, extension.number, file)
    for (const service of file.services) {
      symbols.set(service.typeName, file)
      for (const method of service.methods) symbols.set(`${service.typeName}.${method.name}`, file)
    }
  }

  return {
    fileNamed: (name) => files.get(name) ?? files.get(name.replace(/\.proto$/, '')),
    fileOfSymbol: (symbol) => symbols.get(symbol),
    fileOfExtension: (typeName, number) => extensions.get(typeName)?.get(number),
    extensionNumbers: (typeName) => (symbols.has(typeName) ? [...(extensions.get(typeName)?.keys() ?? [])] : undefined),
    closure: (file) =>
      [...withImports(file)].map((each) => {
        const known = bytes.get(each) ?? toBinary(FileDescriptorProtoSchema, each.proto)
        bytes.set(each, known)
        return known
      }),
  }
}

function withImports(file: DescFile, seen = new Set<DescFile>()): Set<DescFile> {
  if (!seen.has(file)) {
    seen.add(file)
    for (const imported of file.dependencies) withImports(imported, seen)
  }
  return seen
}
