"""The papers' numbers as csv files, and one function that reads them."""

from effnet_edu.published.tables import Row, Table, Value, list_tables, read

__all__ = ["Row", "Table", "Value", "list_tables", "read"]
