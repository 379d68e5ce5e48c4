export {
  openSlotTransport,
  type RingSeat,
  ringSeats,
  type SlotAddress,
} from "./slot-transport.ts";
