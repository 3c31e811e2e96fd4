"""« sam. 28 nov. 2026, 09:05 »."""

DATE_FORMAT = "D j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "D j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
YEAR_MONTH_FORMAT = "M Y"
MONTH_DAY_FORMAT = "j M"
# As in the API, in files and in what is typed; and a number in a drawing or an attribute has to have a point.
DECIMAL_SEPARATOR = "."
