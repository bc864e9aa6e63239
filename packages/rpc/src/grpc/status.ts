import { create, toBinary } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import type { ConnectError } from '@connectrpc/connect'
import { StatusSchema } from '@gatehouse/contracts/google/rpc/status_pb'
import { Metadata, type StatusObject, type status } from '@grpc/grpc-js'

/** Trailer that carries `google.rpc.Status` with the details of an error. */
export const STATUS_DETAILS = 'grpc-status-details-bin'

/** An error of the pipeline as gRPC sends it: code, sentence, and `google.rpc.Status` with the same and the details. */
export function statusOf(error: ConnectError): StatusObject {
  const metadata = new Metadata()
  const status = create(StatusSchema, {
    code: error.code,
    message: error.rawMessage,
    details: error.details.map((detail) =>
      'desc' in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
    ),
  })
  metadata.set(STATUS_DETAILS, toBuffer(toBinary(StatusSchema, status)))
  for (const [name, value] of error.metadata) metadata.set(name, value)
  // grpc-js percent-encodes the sentence, which throws on half a character. The numbers of Connect's codes are those of gRPC.
  return { code: error.code as number as status, details: error.rawMessage.toWellFormed(), metadata }
}

/** The same bytes as a Buffer, without a copy. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
