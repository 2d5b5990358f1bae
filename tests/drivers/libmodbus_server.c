/* A Modbus TCP server on libmodbus: what our driver is judged against.
 *
 * libmodbus_server IP PORT DELAY_MS SILENT_UNIT [HOLDING_REGISTER_THAT_IS_MISSING...]
 *
 * Tables of 300 places; input registers hold ten times their address, odd
 * discrete inputs are on. Prints "unit function address count" for each
 * request, so that a test sees what really went over the wire.
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

#define PLACES 300

static int word(const uint8_t *at) { return at[0] << 8 | at[1]; }

static int touches_missing(const uint8_t *pdu, int argc, char **argv) {
  int function = pdu[0], address = word(pdu + 1), count = word(pdu + 3);
  if (function != 3 && function != 6 && function != 16) return 0;
  if (function == 6) count = 1;
  for (int i = 5; i < argc; i++) {
    int missing = atoi(argv[i]);
    if (address <= missing && missing < address + count) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  modbus_t *link = modbus_new_tcp(argv[1], atoi(argv[2]));
  modbus_mapping_t *tables = modbus_mapping_new(PLACES, PLACES, PLACES, PLACES);
  int listener = modbus_tcp_listen(link, 8), highest = listener;
  if (listener < 0) return 1;
  for (int i = 0; i < PLACES; i++) {
    tables->tab_input_registers[i] = 10 * i;
    tables->tab_input_bits[i] = i % 2;
  }
  fd_set clients, ready;
  FD_ZERO(&clients);
  FD_SET(listener, &clients);
  puts("listening");
  fflush(stdout);
  for (;;) {
    ready = clients;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    for (int s = 0; s <= highest; s++) {
      if (!FD_ISSET(s, &ready)) continue;
      if (s == listener) {
        int client = modbus_tcp_accept(link, &s);
        FD_SET(client, &clients);
        if (client > highest) highest = client;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(link, s);
      int length = modbus_receive(link, query);
      if (length < 0) {
        close(s);
        FD_CLR(s, &clients);
        continue;
      }
      const uint8_t *pdu = query + modbus_get_header_length(link);
      int unit = pdu[-1];
      printf("%d %d %d %d\n", unit, pdu[0], word(pdu + 1), word(pdu + 3));
      fflush(stdout);
      usleep(1000 * atoi(argv[3]));
      if (unit == atoi(argv[4])) continue;
      if (touches_missing(pdu, argc, argv))
        modbus_reply_exception(link, query, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
      else
        modbus_reply(link, query, length, tables);
    }
  }
}
