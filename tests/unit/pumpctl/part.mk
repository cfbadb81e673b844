# SPDX-License-Identifier: BSD-2-Clause
$(call test,pumpctl/test_args,tests/unit/pumpctl/test_args.c,pumpctl base,)
$(call test,pumpctl/test_inventory_csv,tests/unit/pumpctl/test_inventory_csv.c,pumpctl base,,-lcsv)
$(call test,pumpctl/test_why,tests/unit/pumpctl/test_why.c,pumpctl policies registry_proto base,)
$(call test,pumpctl/test_show,tests/unit/pumpctl/test_show.c,pumpctl registry_proto base,)
$(call test,pumpctl/test_receipt,tests/unit/pumpctl/test_receipt.c,pumpctl registry_proto base,)
$(call test,pumpctl/test_home,tests/unit/pumpctl/test_home.c,pumpctl policies base,)
$(call test,pumpctl/test_nas,tests/unit/pumpctl/test_nas.c,pumpctl registry_proto base,)
$(call test,pumpctl/test_recall,tests/unit/pumpctl/test_recall.c,pumpctl registry_proto base,)
